"""Something added to what was sent: whose it is, what it leaves alone, and how staff meet it."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bot import erasure
from bot.erasure import Why
from bot.store.models import Alert, ConversationRow, SubmissionRow
from content.schema import Audience, Skip
from tests.drivers.house import headteacher
from tests.drivers.people import OnTelegram
from tests.drivers.telegram import Person
from tests.drivers.telling import SHORT, first
from tests.drivers.waymark import CONTENT, running
from tests.drivers.web import OnChat, OnForm, Visitor
from tests.public import CHILD, every, plainly, sent
from tests.test_public_replies import look_up

CHILDS, ADULTS, YOUNG = "add-to-my-answers", "add-to-something-sent", "add-to-what-i-sent"


@pytest.fixture(params=["sqlite", "postgres"])
async def site(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    async with running(tmp_path, url) as everything:
        yield everything


async def rows(site) -> list:
    """The first, then what was added."""
    return sorted(await every(site, SubmissionRow), key=lambda row: row.received_at)


async def adds(browser: OnForm | OnChat, flow: str) -> None:
    """From the page of what was sent, by its link; as far as the first question."""
    await browser.follow("Add something to this")
    form = browser.page.one("form[action='/reply/add']")
    mode = "chat" if isinstance(browser, OnChat) else "form"
    await browser.send_form(form, form.select_one(f"button[value={mode}]"))
    browser.flow = flow
    browser.id = browser.page.path.split("/")[2]


@pytest.mark.parametrize("channel", [OnForm, OnChat])
async def test_what_is_added_stands_beside_the_first_which_stays_as_it_was(site, channel):
    reference, code = await sent(OnForm(site), CHILD)
    (before,) = await rows(site)
    elsewhere = channel(site)
    await look_up(elsewhere, reference, code)
    await adds(elsewhere, CHILDS)
    await plainly(elsewhere, CHILDS)
    await elsewhere.send()
    untouched, added = await rows(site)
    assert untouched == before
    assert added.adds_to == before.id
    assert added.kind == "addition"
    assert added.unread
    assert added.handle == before.handle
    assert added.reference != reference
    page = await look_up(Visitor(site), reference, code)
    assert f"has its own reference, {added.reference}" in page.text


async def test_staff_see_it_on_the_first_and_in_the_queue_until_somebody_reads_it(site):
    reference, code = await sent(OnForm(site), CHILD)
    browser = OnForm(site)
    await look_up(browser, reference, code)
    await adds(browser, CHILDS)
    await plainly(browser, CHILDS)
    await browser.send()
    original, added = await rows(site)
    staff = await headteacher(site)
    await staff.open(original.id)
    assert re.search(r"Added on .+ November 2026", staff.text)
    assert f"Read what was added, {added.reference} Unread" in staff.text
    assert "added something to it" in staff.text
    await staff.go("/staff?unread=yes")
    assert added.reference in staff.text
    assert reference not in staff.text
    await staff.open(added.id)
    assert f"This was added to {original.title}, {reference}" in staff.text
    await staff.open(original.id)
    assert "Unread" not in staff.text


async def test_a_child_a_young_person_and_an_adult_are_each_spoken_to_as_before(site):
    spoken = {Audience.CHILD: CHILDS, Audience.YOUNG_PERSON: YOUNG, Audience.ADULT: ADULTS}
    for audience, flow in spoken.items():
        assert CONTENT.flows[flow].audience is audience
        reference = await first(site, audience)
        (row,) = [one for one in await every(site, SubmissionRow) if one.reference == reference]
        assert row.flow == SHORT[audience]
        chat = await on_telegram(site)
        async with site.database.transaction() as db:  # as if they had sent it from there
            theirs = sa.update(SubmissionRow).where(SubmissionRow.id == row.id)
            await db.execute(theirs.values(sender=chat.address))
        await chat.say("my data")
        offered = f"Add something to {reference}" in chat.last.labels
        assert offered is (audience is not Audience.CHILD), "children have no Telegram"
        if offered:
            await chat.tap(f"Add something to {reference}")
            assert CONTENT.flows[flow].intro[:40] in "\n".join(m.text for m in chat.shown)


async def on_telegram(site) -> Person:
    chat = Person(site.http(), site.fake, site.channel)
    await chat.start()
    await chat.tap("Yes, I am 16 or over")
    return chat


async def a_call_from(site) -> tuple[OnTelegram, str]:
    """Somebody asked for a call on Telegram; they, and the reference."""
    person = OnTelegram(Person(site.http(), site.fake, site.channel))
    await person.begin("call-me-back")
    await person.choose("danger", "not-now")
    await person.choose("role", "school-staff")
    await person.choose("call-about", "plan")
    await person.skip("about", Skip.SKIPPED)
    await person.say("name", "Pat")
    await person.say("phone", "07700 900123")
    await person.skip("ring-day", Skip.SKIPPED)
    await person.skip("ring-when", Skip.SKIPPED)
    await person.choose("ring-safe", "fine")
    await person.choose("privacy", "read")
    said = await person.send()
    return person, re.search(r"VS-\w{4}-\w{4}", said)[0]


async def test_in_a_chat_they_choose_among_what_they_sent(site):
    person, reference = await a_call_from(site)
    await person.person.say("my data")
    await person.person.tap(f"Add something to {reference}")
    await person.choose("danger", "not-now")
    # Begun again by the same button it is still added to the same thing.
    await person.person.tap(f"Add something to {reference}")
    await person.person.tap("Start again")
    await person.choose("danger", "not-now")
    await person.choose("new-what", "changed")
    await person.say("new-words", "The meeting is on Monday.")
    await person.choose("new-soon", "this-week")
    await person.choose("still-reach", "yes")
    await person.choose("privacy", "read")
    assert "VS-" in await person.send()
    original, added = await rows(site)
    assert (original.reference, added.adds_to) == (reference, original.id)
    assert added.channel == "telegram"
    assert added.sender_role == original.sender_role == "School, nursery or college staff"


async def test_what_somebody_else_sent_can_not_be_added_to(site):
    _, reference = await a_call_from(site)
    begun = len(await every(site, ConversationRow))
    stranger = await on_telegram(site)
    theirs = await stranger.press(f"+|{reference}")
    nothing = await stranger.press("+|VS-0000-0000")
    assert [m.text for m in theirs] == [m.text for m in nothing]
    assert "nothing has changed" in theirs[0].text
    assert len(await every(site, ConversationRow)) == begun


async def test_an_addition_begins_only_from_what_was_sent(site):
    visitor = Visitor(site)
    assert (await visitor.open(f"/start/{CHILDS}")).path == "/reply"
    assert (await visitor.open("/reply/add")).path == "/reply"
    assert (await visitor.post("/reply/add", [("mode", "form"), ("key", "a")])).path == "/reply"
    assert (await visitor.post(f"/start/{CHILDS}", [("mode", "form"), ("key", "a")])).status == 404
    chat = await on_telegram(site)
    await chat.start(ADULTS)
    assert "What we hold about you" in chat.last.text
    assert not await every(site, ConversationRow)


async def test_wrong_codes_open_nothing_and_tire(site):
    reference, code = await sent(OnForm(site), CHILD)
    visitor = Visitor(site)
    for _ in range(10):
        page = await look_up(visitor, reference, "AAAA-BBBB-CCCC")
        assert page.status == 422
        assert "Add something" not in page.text
    assert (await look_up(visitor, reference, code)).status == 429
    assert (await visitor.open("/reply/add")).path == "/reply"


async def test_what_is_added_to_an_addition_is_added_to_the_first(site):
    reference, code = await sent(OnForm(site), CHILD)
    for _ in range(2):
        browser = OnForm(site)
        await look_up(browser, reference, code)
        await adds(browser, CHILDS)
        await plainly(browser, CHILDS)
        await browser.send()
        reference, code = [one.get_text() for one in browser.page.html.select(".wm-code")]
    original, *added = await rows(site)
    assert [one.adds_to for one in added] == [original.id] * 2


async def test_harm_told_in_an_addition_is_an_alert_at_once_and_urgent_when_sent(site):
    reference, code = await sent(OnForm(site), CHILD)
    browser = OnForm(site)
    await look_up(browser, reference, code)
    await adds(browser, CHILDS)
    await browser.choose("privacy", "read")
    for question in ("new-what", "new-words", "photo"):
        await browser.skip(question, Skip.SKIPPED)
    await browser.choose("unsafe", "yes")
    ((urgency, where),) = await every(site, Alert, "urgency", "submission")
    assert (urgency, where) == ("urgent", None)
    await browser.open(f"/form/{browser.id}/check")
    await browser.send()
    _, added = await rows(site)
    assert added.priority == "urgent"
    ((_, where),) = await every(site, Alert, "urgency", "submission")
    assert where == added.id


@pytest.mark.parametrize("restricted", [False, True])
async def test_when_the_first_is_erased_what_was_added_stays_as_hidden_as_it_was(site, restricted):
    reference, code = await sent(OnForm(site), CHILD)
    browser = OnForm(site)
    await look_up(browser, reference, code)
    await adds(browser, CHILDS)
    await plainly(browser, CHILDS)
    await browser.send()
    async with site.database.transaction() as db:
        hide = sa.update(SubmissionRow).where(SubmissionRow.reference == reference)
        await db.execute(hide.values(restricted=restricted))
    original, _ = await rows(site)
    async with site.database.transaction() as db:
        await erasure.submission(site.waymark, db, original, Why("period"))
    (left,) = await rows(site)
    assert (left.adds_to, left.restricted) == (None, restricted)
