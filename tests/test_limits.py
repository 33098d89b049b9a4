"""A flood slows only whoever makes it; help is never held back; nobody learns who exists."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.requests import HTTPConnection

from bot.files import cleaning
from bot.keys import Keys
from bot.limits import Limits, TooMuch
from bot.store.models import Alert, Attachment, ConversationRow, Inbox, Outbox, SubmissionRow
from content import loader
from content.schema import Limit
from tests import corpus
from tests.drivers.house import headteacher
from tests.drivers.people import OnTelegram
from tests.drivers.person import Person as Anyone
from tests.drivers.staff import Staff
from tests.drivers.telegram import Person
from tests.drivers.waymark import SERVED, running, unhurried, wired
from tests.drivers.web import OnChat, OnForm, Visitor
from tests.headers import sound
from tests.public import CHILD, CONCERN, sent
from tests.test_uploads import at_the_question
from web.place import place

REAL = SERVED["staffordshire"]
SMALL = loader.read(Path(__file__).parent / "content_small").served_by("staffordshire")
TINY = "small-concern"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


CROWDED = replace(
    REAL,
    flows=SMALL.flows,
    notices={**REAL.notices, **SMALL.notices},
    national_helplines={**REAL.national_helplines, **SMALL.national_helplines},
    pages={**REAL.pages, **SMALL.pages},
)
"""A small flow on the real site, with the limits that we ship."""


def limited(content=REAL, **limits: Limit):
    """The content with these limits and no others."""
    policy = unhurried(content).policy
    changed = policy.limits.model_copy(update=limits)
    return replace(content, policy=policy.model_copy(update={"limits": changed}))


def of(sender: int, minutes: int = 60) -> Limit:
    return Limit(minutes=minutes, sender=sender, place=10_000, everyone=10_000)


@pytest.fixture
async def site(tmp_path):
    """With the limits that we ship."""
    async with running(tmp_path, content=REAL) as site:
        yield site


async def rows(site, table, *where):
    async with site.database.reading() as db:
        return (await db.execute(sa.select(*table.__table__.columns).where(*where))).all()


# --- Counting -------------------------------------------------------------------------------


def test_a_window_opens_with_the_first_and_does_not_move():
    limits, limit = Limits(), Limit(minutes=10, sender=3, place=5, everyone=6)
    ann = {"sender": "ann", "place": "home", "everyone": ""}
    for second in range(3):
        limits.count("turns", limit, ann, NOW + timedelta(seconds=second))
    for again in (5, 200, 599):
        with pytest.raises(TooMuch) as much:
            limits.count("turns", limit, ann, NOW + timedelta(seconds=again))
        assert much.value.wait == timedelta(seconds=600 - again)
    limits.count("turns", limit, ann, NOW + timedelta(seconds=600))
    limits.count("starts", limit, ann, NOW)


def test_a_place_and_everyone_have_limits_of_their_own_and_refusals_count_nothing():
    limits, limit = Limits(), Limit(minutes=10, sender=3, place=5, everyone=6)

    def one(sender, home):
        try:
            limits.count("turns", limit, {"sender": sender, "place": home, "everyone": ""}, NOW)
        except TooMuch:
            return False
        return True

    assert [one("ann", "home") for _ in range(4)] == [True, True, True, False]
    assert [one("bob", "home") for _ in range(3)] == [True, True, False]
    assert [one("eve", "away") for _ in range(2)] == [True, False]
    assert not one("kim", None)


def test_what_is_over_is_forgotten():
    limits, limit = Limits(), Limit(minutes=1, sender=1, place=1, everyone=10**6)
    for number in range(5000):
        now = NOW + timedelta(seconds=number)
        limits.count("turns", limit, {"sender": str(number), "place": None, "everyone": ""}, now)
    assert len(limits._windows) < 1100


def test_limits_that_make_no_sense_are_a_fault_of_the_content():
    for wrong in ({"sender": 9, "place": 8}, {"sender": 0}, {"everyone": 1}, {"minutes": 0}):
        with pytest.raises(ValueError, match=r"may do no less|greater than 0"):
            Limit.model_validate({"minutes": 1, "sender": 5, "place": 8, "everyone": 9, **wrong})


# --- Where someone is -----------------------------------------------------------------------


def there(waymark, peer, *forwarded):
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return place(HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers}), waymark)


def test_neighbours_are_one_place_and_strangers_are_not(tmp_path):
    here, clock = wired(tmp_path)
    home = there(here, "203.0.113.7")
    assert home == there(here, "203.0.113.250") == there(here, "::ffff:203.0.113.1")
    assert home != there(here, "203.0.114.7")
    six = there(here, "2001:db8:0:1::5")
    assert six == there(here, "2001:db8:0:1f::9") != there(here, "2001:db8:1:1::5")
    assert there(here, "not an address") is None
    assert there(here, "203.0.113.7", "198.51.100.1") == home, "nobody said there is a proxy"
    assert "203" not in home
    clock.forward(timedelta(days=1))
    assert there(here, "203.0.113.7") != home


def test_only_our_own_proxies_are_believed(tmp_path):
    behind, _ = wired(tmp_path, behind_proxy=2)
    home = there(behind, "10.0.0.1", "203.0.113.7, 10.0.0.9")
    made_up = "198.51.100.1, 198.51.100.2, 203.0.113.7, 10.0.0.9"
    assert there(behind, "10.0.0.1", made_up) == home
    assert there(behind, "10.0.0.1", "198.51.100.1, 203.0.113.7", "10.0.0.9") == home
    assert there(behind, "10.0.0.1", "203.0.113.7:5123, 10.0.0.9") == home
    assert there(behind, "10.0.0.1", "203.0.113.7") is None, "it did not come the whole way"
    assert there(behind, "10.0.0.1", "<script>, 10.0.0.9") is None
    six = there(behind, "10.0.0.1", "2001:db8::5, 10.0.0.9")
    assert six == there(behind, "10.0.0.1", "[2001:db8::5]:443, 10.0.0.9") is not None


def test_where_all_come_through_a_proxy_of_which_we_know_nothing_nobody_is_held_together(tmp_path):
    secure, _ = wired(tmp_path, public_address="https://voice.example.org")
    assert there(secure, "127.0.0.1", "203.0.113.7") is None


# --- A flood on Telegram --------------------------------------------------------------------


def chat(site) -> Person:
    return Person(site.http(), site.fake, site.channel)


async def adult(site) -> Person:
    person = chat(site)
    await person.start(CONCERN)
    await person.tap("Yes, I am 16 or over")
    return person


async def test_a_flooding_chat_is_told_once_that_nothing_is_kept_and_then_nothing(site):
    person = await adult(site)
    before = await rows(site, ConversationRow)
    said = [await person.say(f"noise {number}") for number in range(100)]
    assert person.status == 200
    answered = [lines for lines in said if lines]
    assert len(answered) < 62
    (told,) = answered[-1]
    assert "we have not kept what you just sent" in told.text
    assert "for the next one minute" in told.text
    assert "999" in told.text
    kept = len(await rows(site, Inbox))
    assert kept <= 60
    (now,) = await rows(site, ConversationRow)
    assert now.id == before[0].id
    site.clock.forward(timedelta(minutes=1))
    await person.tap("No, not right now")
    assert len(await rows(site, Inbox)) == kept + 1
    assert "in danger" not in person.last.text


async def flooded(site) -> Person:
    """Somebody who is asked to rest just now."""
    person = await adult(site)
    for number in range(70):
        await person.say(f"noise {number}")
    assert not await person.say("noise")
    return person


async def test_help_and_what_tells_of_harm_are_never_held_back(site):
    person = await flooded(site)
    assert "999" in (await person.say("999"))[-1].text
    assert "999" in (await person.say("I need help now!"))[-1].text
    assert "999" in (await person.send(text="/helpnow"))[-1].text
    assert not await person.say("noise")
    told = await person.tap("not sure")
    assert "999" in told[-1].text + told[0].text
    assert len(await rows(site, Alert)) == 1


async def test_whoever_is_asked_to_rest_can_still_leave(site):
    person = await flooded(site)
    assert "We have stopped" in (await person.send(text="/stop"))[-1].text
    assert "Are you sure" in (await person.send(text="/delete"))[-1].text
    await person.tap("Yes, delete it")
    assert await rows(site, ConversationRow) == []


async def test_what_was_taken_before_is_not_said_to_be_lost(site):
    person = await adult(site)
    await person.tap("No, not right now")
    taken, answered = person.last_update, person.last.text
    for number in range(70):
        await person.say(f"noise {number}")
    person.last_update = taken
    again = await person.again()
    assert [line.text for line in again] in ([], [answered])


async def test_strangers_who_flood_are_slowed_too_and_nothing_is_kept_of_them(site):
    person = chat(site)
    said = [await person.say("hello") for _ in range(100)]
    assert sum(map(bool, said)) == 61
    assert await rows(site, Inbox) == []
    assert "999" in (await person.say("help me"))[-1].text


# --- A flood in a browser -------------------------------------------------------------------


async def test_a_form_sent_too_often_says_until_when_and_keeps_the_words(tmp_path):
    async with running(tmp_path, content=limited(turns=of(8, minutes=1))) as site:
        form = OnForm(site)
        await form.begin(CHILD)
        await form.choose("privacy", "read")
        for _ in range(6):
            await form.unclear("name", "x" * 5000)
        await form.say("name", "Robin <b>")
        assert form.page.status == 429
        assert int(form.page.headers["retry-after"]) in range(55, 61)
        assert "was not kept. Please wait one minute" in form.page.text
        assert "Call 999" in form.page.text
        sound(form.page.response)
        assert (await form.http.get("/help-now")).status_code == 200
        again = form.page.one("form")
        site.clock.forward(timedelta(minutes=1))
        await form.send_form(again)
        assert form.page.path.endswith("/year")
        check = await form.open(f"{form.home}/check")
        assert "Robin <b>" in check.text


async def test_a_child_who_must_rest_is_still_heard_when_they_are_not_safe(tmp_path):
    async with running(tmp_path, content=limited(turns=of(3))) as site:
        form = OnForm(site)
        await form.begin(CONCERN)
        await form.unclear("danger", "purple")
        await form.unclear("danger", "purple")
        await form.open(form.page.path)
        await form.send_form(form.page.one("form.wm-question"), answer="not-now")
        assert form.page.status == 429
        await form.open(form.home)
        await form.send_form(form.page.one("form.wm-question"), answer="not-sure")
        assert form.page.path.endswith("/danger/notice")
        assert len(await rows(site, Alert)) == 1
        await form.open(form.home)
        await form.stop()
        assert "Nothing has been sent" in form.page.text


async def journey(person: Anyone, danger: str = "not-now") -> str:
    """An ordinary person, from beginning to end."""
    await person.begin(TINY)
    await person.choose("danger", danger)
    await person.choose("role", "carer")
    await person.tick("topics", ["attendance"])
    await person.say("days", "3")
    await person.say("happened", "They stay at home.")
    await person.say("more", "That is all.")
    return await person.send()


async def test_so_many_are_begun_and_sent_in_an_hour_and_no_more(tmp_path):
    content = limited(CROWDED, starts=of(2), submissions=of(1))
    async with running(tmp_path, content=content) as site:
        form = OnForm(site)
        await journey(form)
        await journey(form)
        assert form.page.status == 429
        assert "we do not have this yet. Your answers are kept here" in form.page.text
        assert len(await rows(site, SubmissionRow)) == 1
        again = form.page.one("form")
        await form.start(TINY, "form")
        assert form.page.status == 429
        assert "we have not begun another" in form.page.text
        assert len(await rows(site, ConversationRow)) == 2
        site.clock.forward(timedelta(hours=1))
        await form.send_form(again)
        assert form.page.path.endswith("/sent")
        assert len(await rows(site, SubmissionRow)) == 2


async def test_what_tells_of_harm_is_sent_however_much_was_sent_before(tmp_path):
    async with running(tmp_path, content=limited(CROWDED, submissions=of(1))) as site:
        form = OnForm(site)
        for number in range(3):
            await journey(form, danger="not-sure")
            assert form.page.path.endswith("/sent"), number
        assert len(await rows(site, SubmissionRow)) == 3


async def test_so_many_files_are_taken_in_an_hour_and_the_rest_is_not_even_opened(
    tmp_path, monkeypatch
):
    async with running(tmp_path, content=limited(uploads=of(2))) as site:
        form = await at_the_question(site)
        for _ in range(2):
            await form.add("show-us", corpus.picture())
            assert form.page.status == 200
        cleaned = []
        monkeypatch.setattr(cleaning, "clean", cleaned.append)
        await form.add("show-us", corpus.picture())
        assert form.page.status == 429
        assert "we have not kept this one. Please wait 60 minutes" in form.page.text
        assert cleaned == []
        assert len(await rows(site, Attachment)) == 2


async def test_the_chat_too_is_asked_to_rest(tmp_path):
    async with running(tmp_path, content=limited(turns=of(3, minutes=1))) as site:
        talk = OnChat(site)
        await talk.begin(CONCERN)
        await talk.type("purple")
        await talk.type("purple")
        page = await talk.type("purple")
        assert page.status == 429
        assert page.html.select_one("input[name=text][value=purple]")
        sound(page.response)


# --- All at once ----------------------------------------------------------------------------


async def test_while_three_misbehave_everyone_else_is_served(tmp_path):
    async with running(tmp_path, content=CROWDED) as site:
        people: list[Anyone] = [OnTelegram(chat(site)) for _ in range(8)]
        for number in range(12):
            visitor = OnForm(site) if number % 2 else OnChat(site)
            visitor.http = site.http(f"198.51.{number}.7")
            people.append(visitor)
        noisy, rude, guess = chat(site), site.http("203.0.113.7"), site.http("192.0.2.7")
        floods = asyncio.gather(flood(noisy), pester(rude), guesses(guess))
        said = await asyncio.gather(*map(journey, people))
        quiet, refused, wrong = await floods
        assert all(re.search(r"VS-\w{4}-\w{4}", words) for words in said)
        assert len(await rows(site, SubmissionRow)) == len(people)
        assert quiet > 400
        assert refused > 20
        assert wrong > 100
        reference, code = re.findall(r"VS-\w{4}-\w{4}|\b\w{4}-\w{4}-\w{4}\b", said[-1])[:2]
        reader = Visitor(site)
        await reader.open("/reply")
        form = reader.page.one("form[action='/reply']")
        await reader.send_form(form, reference=reference, code=code)
        assert reader.page.path == "/reply/read"


async def flood(noisy: Person) -> int:
    """500 messages from one chat; how many were answered with nothing."""
    nothing = 0
    for number in range(500):
        nothing += await noisy.post(noisy.message(text=f"noise {number}")) is None
        assert noisy.status == 200
        await asyncio.sleep(0)
    return nothing


async def pester(http) -> int:
    """Begins again and again, as another browser each time; how often it was refused."""
    refused = 0
    for number in range(330):
        http.cookies.set("waymark", f"browser {number}")
        response = await http.post(f"/start/{TINY}", data={"mode": "form", "key": str(number)})
        refused += response.status_code == 429
        await asyncio.sleep(0)
    assert (await http.get("/help-now")).status_code == 200
    return refused


async def guesses(http) -> int:
    """Codes, as another browser each time; how many were not even looked at."""
    refused = 0
    for number in range(150):
        http.cookies.set("waymark", f"guesser {number}")
        fields = {"reference": "VS-AAAA-BBBB", "code": f"AAAA-BBBB-{number:04}"}
        address = "/reply" if number % 2 else "/resume"
        refused += (await http.post(address, data=fields)).status_code == 429
        await asyncio.sleep(0)
    return refused


# --- Nobody learns who exists ---------------------------------------------------------------

ONCE = re.compile(r'nonce="[^"]*"|name="(key|csrf)" value="[^"]*"')


def alike(response) -> tuple[int, str]:
    """A page without what differs from one showing to the next."""
    return response.status_code, ONCE.sub("", response.text)


async def test_what_exists_and_what_does_not_are_answered_alike(site):
    theirs, sender = OnForm(site), OnForm(site)
    await theirs.begin(CONCERN)
    reference, code = await sent(sender, CHILD)
    stranger = site.http()
    await stranger.get("/reply")
    none = "0" * 24
    for method in ("GET", "POST"):
        for there in ("", "/check", "/danger", "/danger/notice", "/sent", "/stopped", "/delete"):
            pairs = [
                alike(await stranger.request(method, f"/form/{id_}{there}"))
                for id_ in (theirs.id, sender.id, none)
            ]
            assert [(s, t.replace(i, "")) for (s, t), i in zip(
                pairs, (theirs.id, sender.id, none), strict=True
            )] == [(pairs[2][0], pairs[2][1].replace(none, ""))] * 3, there  # fmt: skip

    async def post(address: str, **fields: str) -> tuple[int, str]:
        page = alike(await stranger.post(address, data=fields))
        shown = page[1]
        for value in fields.values():
            shown = shown.replace(value, "")
        return page[0], shown

    wrong = await post("/reply", reference="VS-AAAA-BBBB", code="AAAA-BBBB-CCCC")
    assert wrong == await post("/reply", reference=reference, code="AAAA-BBBB-CCCC")
    assert wrong == await post("/reply", reference="VS-AAAA-BBBB", code=code)
    wrong = await post("/resume", code="AAAA-BBBB-CCCC")
    assert wrong == await post("/resume", code=Keys.resume_code(site.waymark.keys, sender.id))


async def test_an_unknown_address_and_a_wrong_password_look_alike(site):
    async def tried(email: str) -> tuple[int, str]:
        desk = Staff(site.site)
        await desk.go("/staff/sign-in")
        await desk.send("/staff/sign-in", email=email, password="wrong horse battery")
        status, text = alike(desk.response)
        return status, text.replace(email, "")

    await headteacher(site)
    assert await tried("ann@example.org") == await tried("nobody@example.org")
    assert (await rows(site, Outbox)) == []
