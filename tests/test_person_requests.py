"""What people can ask about their own information, as they and staff meet it: copy, correction,
deletion with a second person, receipts, holds, and what a chat is told."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from bs4 import BeautifulSoup

from bot import erased, retention
from bot.errors import CannotOpen
from bot.store import attachments, conversations, outbox, sealing, staff
from bot.store.models import (
    Alert,
    Audit,
    ConversationRow,
    DataKey,
    Hold,
    Inbox,
    Note,
    Outbox,
    PersonRequest,
    Receipt,
    Reply,
    SubmissionRow,
)
from content.schema import Role
from tests import traces
from tests.browser import accessibility_faults
from tests.drivers.staff import Staff
from tests.drivers.telegram import Person as Chat
from tests.drivers.waymark import SERVED, running, served
from tests.drivers.web import OnChat, OnForm, Visitor
from tests.opened import rows
from tests.public import CHILD, CONCERN, sent
from tests.test_public_replies import look_up
from web import demo
from web.casework import accounts, passwords, review
from web.casework.permissions import Person

HEAD, LEAD, MENTOR = Role.HEADTEACHER, Role.EDUCATION_COORDINATOR, Role.MENTOR
DAY = timedelta(days=1)
CANARY = "Zaunkoenig"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


async def browser(house, name="Ann", role=LEAD) -> Staff:
    here = Staff(house.site)
    link = await accounts.add(house.waymark, name, f"{name.casefold()}@example.org", role.value)
    await here.use(link)
    return here


async def one(house, table, *where):
    (row,) = await rows(house.waymark, table, *where)
    return row


async def count(house, table, *where):
    return len(await rows(house.waymark, table, *where))


async def whoever(house, name):
    async with house.database.reading() as db:
        row = await staff.by_email(db, f"{name.casefold()}@example.org")
    return Person(row.id, row.name, Role(row.role), row.team)


async def asked_for_deletion(house):
    """Somebody sends something, opens it with the code, and asks for it to be deleted."""
    form = OnForm(house)
    codes = await sent(form)
    reader = Visitor(house)
    await look_up(reader, *codes)
    await reader.follow("Ask us to delete this")
    await reader.send_form(reader.page.one("form[action='/reply/delete']"))
    return reader, codes


# --- The sender asks ------------------------------------------------------------------------


async def test_asking_for_deletion_says_what_happens_and_by_when_and_reaches_staff(house):
    reader, codes = await asked_for_deletion(house)
    assert reader.page.path == "/reply/read"
    # 23 November 2026 and a month: the 23rd of December is a Wednesday.
    assert "asked us on 23 November 2026 to delete this" in reader.page.text
    assert "hear from us by 23 December 2026" in reader.page.text
    assert not reader.page.html.select("a[href='/reply/delete']")
    ann = await browser(house)
    await ann.go("/staff")
    assert "1 person asks about their information" in ann.text
    await ann.go("/staff/requests")
    assert "A deletion" in ann.text
    assert "on the reply page" in ann.text
    assert codes[0] not in ann.text, "the list names it by its two words"


async def test_the_page_before_it_is_honest_about_what_stays(house):
    form = OnForm(house)
    codes = await sent(form)
    await look_up(form, *codes)
    page = await form.follow("Ask us to delete this")
    for promise in ("Two people", "within a month", "stays in that plan", "may not be safe"):
        assert promise in page.text, promise
    assert await count(house, PersonRequest) == 0, "nothing is asked by looking"


async def test_a_flood_of_requests_is_asked_to_wait(tmp_path):
    async with running(tmp_path, content=SERVED["staffordshire"]) as house:
        reader, _ = await asked_for_deletion(house)
        for number in range(12):
            await reader.post("/reply/correct", [("words", f"This is wrong: {number}")])
        assert reader.page.status == 429
        assert "A lot was asked in a short time" in reader.page.text
        assert "This is wrong: 11" in str(reader.page.html), "what they typed is still there"
        assert await count(house, PersonRequest) == 10


async def test_asked_twice_it_is_one_request(house):
    reader, _ = await asked_for_deletion(house)
    await reader.begin_again()
    assert await count(house, PersonRequest) == 1


async def test_a_correction_stands_beside_the_answers_and_is_sealed(house, tmp_path):
    form = OnForm(house)
    codes = await sent(form)
    await look_up(form, *codes)
    await form.follow("Ask us to put something right")
    page = await form.send_form(form.page.one("form[action='/reply/correct']"), words="  ")
    assert page.status == 422
    assert "Please tell us what to put right" in page.text
    words = f"My teacher is {CANARY}, not <b>Mr Smith</b>"
    page = await form.send_form(page.one("form[action='/reply/correct']"), words=words)
    assert "asked us on 23 November 2026 to put something right" in page.text
    ann = await browser(house)
    await ann.open((await one(house, SubmissionRow)).id)
    assert words in ann.text
    assert "&lt;b&gt;Mr Smith" in str(ann.page)
    await house.database.tidy()
    assert CANARY.encode() not in await traces.left(house.waymark)


async def test_the_public_process_takes_words_it_can_not_read_again(house, tmp_path):
    """As `--role public` runs: with the public halves of the keys only."""
    form = OnForm(house)
    codes = await sent(form)
    async with running(tmp_path, role="public") as public:
        reader = Visitor(public)
        await look_up(reader, *codes)
        await reader.follow("Ask us to put something right")
        page = reader.page.one("form[action='/reply/correct']")
        await reader.send_form(page, words=f"It is {CANARY}")
        assert reader.page.path == "/reply/read", reader.page.text
        async with public.database.reading() as db:
            request = await db.scalar(sa.select(PersonRequest.id))
            with pytest.raises(CannotOpen):
                await sealing.box(db, f"request:{request}")
    ann = await browser(house)
    await ann.go(f"/staff/requests/{request}")
    assert f"It is {CANARY}" in ann.text


async def test_without_the_code_nothing_can_be_asked_or_taken(house):
    stranger = Visitor(house)
    for address in ("/reply/copy", "/reply/copy.json", "/reply/correct", "/reply/delete"):
        assert (await stranger.open(address)).path == "/reply", address
    for address in ("/reply/correct", "/reply/delete"):
        await stranger.post(address, [("words", "x")])
        assert stranger.page.path == "/reply", address
    assert await count(house, PersonRequest) == 0


# --- Their own copy -------------------------------------------------------------------------


class Outline(HTMLParser):
    """Every tag, and whatever a page would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fetched = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.fetched += [v for n, v in attrs if n in ("src", "href") and not v.startswith("data:")]
        assert not any(name.startswith("on") for name, _ in attrs)


async def with_everything(house):
    """Something sent with awkward words and a picture, a note, and two replies."""
    nasty = f'<script>alert("{CANARY}")</script> & "quotes"\nand a line'
    story = demo.Story(CONCERN, 1, {"danger": "not-now", "harm": "no", "story": nasty})
    submission = await demo.Sender(house.waymark, "one", story).talk()
    await browser(house)
    ann = await whoever(house, "Ann")
    await review.write_note(house.waymark, ann, submission, "Secretnote for staff", "n")
    await review.reply(house.waymark, ann, submission, "First answer <b>", "1", 0)
    await review.reply(house.waymark, ann, submission, "Second answer", "2", 1)
    row = await one(house, SubmissionRow)
    async with house.database.transaction() as db:
        box = await sealing.box(db, f"submission:{submission}")
        what = {"id": "file", "conversation": row.conversation, "submission": submission}
        what |= {"question": "show-us", "kind": "picture", "media_type": "image/jpeg"}
        await attachments.add(db, box, b"JPEGbytes", **what, scan="clean", made_at=house.clock())
    conversation = await one(house, ConversationRow)
    return row, (row.reference, conversation.return_code), nasty


async def test_a_copy_holds_every_answer_and_reply_and_no_note(house):
    row, codes, nasty = await with_everything(house)
    reader = Visitor(house)
    await look_up(reader, *codes)
    got = await reader.http.get("/reply/copy")
    assert got.headers["content-disposition"] == f'attachment; filename="{row.reference}.html"'
    assert got.headers["cache-control"] == "no-store"
    page, shown = got.text, " ".join(Visitor(house).page.text.split())
    assert shown == ""
    outline = Outline(page)
    assert "script" not in outline.tags
    assert outline.fetched == []
    assert "<b>" not in page
    for line in row.payload["answers"]:
        for words in (line["asked"], *line["words"]):
            assert words in _text(page), words
    assert nasty in _text(page)
    assert _text(page).index("First answer <b>") < _text(page).index("Second answer")
    assert "Secretnote" not in page
    assert row.handle not in page
    assert not any(reason in page for reason in row.reasons)
    assert "data:image/jpeg;base64," in page
    assert "We keep it for 2 years after we finish." in page


def _text(page: str) -> str:
    return BeautifulSoup(page, "html.parser").get_text()


async def test_a_copy_for_programs_parses_and_says_its_version(house):
    row, codes, nasty = await with_everything(house)
    reader = Visitor(house)
    await look_up(reader, *codes)
    got = await reader.http.get("/reply/copy.json")
    assert got.headers["content-type"] == "application/json"
    told = json.loads(got.content)
    assert (told["format"], told["version"]) == ("waymark-copy", 1)
    asked = [line["asked"] for line in row.payload["answers"]]
    assert [answer["question"] for answer in told["answers"]] == asked
    assert nasty in [word for answer in told["answers"] for word in answer["answer"]]
    assert [reply["text"] for reply in told["replies"]] == ["First answer <b>", "Second answer"]
    assert told["files"][0]["base64"] == "SlBFR2J5dGVz"
    assert "team" not in told
    assert "Secretnote" not in got.text
    assert "<script" in got.text, "JSON is not HTML: nothing is changed in it"
    assert await count(house, Audit, Audit.action == "copy.taken") == 1


# --- Erasing takes two ----------------------------------------------------------------------


async def test_one_proposes_and_another_confirms_and_then_it_is_gone(house):
    _, codes = await asked_for_deletion(house)
    row = await one(house, SubmissionRow)
    request = await one(house, PersonRequest)
    ann, bob = await browser(house), await browser(house, "Bob")
    await ann.note(row.id, f"{CANARY} in a note")
    await ann.reply(row.id, f"{CANARY} in a reply")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="  ")
    assert ann.status == 422
    await ann.send("/propose", reason=f"{CANARY}: nothing came of it")
    assert "Somebody else has to agree" in ann.text
    assert not ann.page.select("form[action$='/confirm']")
    # Nor with a form of one's own making.
    csrf = ann.page.select_one("input[name=csrf]")["value"]
    await ann.post(f"/staff/requests/{request.id}/confirm", {"csrf": csrf})
    assert ann.status == 403
    assert "somebody else has to agree" in ann.text
    assert await count(house, SubmissionRow) == 1

    await bob.go(f"/staff/requests/{request.id}")
    assert f"{CANARY}: nothing came of it" in bob.text
    foreseen = counts_of(bob)
    await bob.send("/confirm")
    assert "It is erased" in bob.text
    await bob.go(bob.page.select_one("a[href^='/staff/receipts/']")["href"])
    receipt = await one(house, Receipt)
    assert receipt.id in bob.text
    assert "Ann; Bob confirmed it" in bob.text
    done = counts_of(bob)
    # Proposing, reading and deciding have each left a line in the log since it was foreseen.
    for told in (foreseen, done):
        assert told.pop("Lines of the log: who did what and when; no words") > 3
    assert foreseen == done
    assert receipt.removed == {
        "submission": 1, "conversation": 1, "note": 1, "reply": 1, "data_key": 5,
    }  # fmt: skip
    assert "Backups forget it by 28 December 2026" in bob.text

    for table in (SubmissionRow, Note, Reply, ConversationRow, Outbox):
        assert await count(house, table) == 0, table
    assert await count(house, DataKey, DataKey.owner.not_like("staff:%")) == 0
    assert await count(house, Inbox, Inbox.conversation.is_not(None)) == 0
    asked = await one(house, PersonRequest)
    assert (asked.state, asked.receipt, asked.submission) == ("done", receipt.id, None)
    reader = Visitor(house)
    page = await look_up(reader, *codes)
    assert page.heading == "This is deleted"
    assert "because we were asked to" in page.text
    assert (await look_up(reader, codes[0], "AAAA-BBBB-CCCC")).status == 422


def counts_of(page: Staff) -> dict[str, int]:
    """The numbers of a receipt, or of what erasing would take."""
    found = page.page.select(".staff-counts tr")
    assert found
    return {row.th.get_text(): int(row.td.get_text()) for row in found}


async def test_after_erasure_no_byte_of_it_is_on_the_disk_or_in_the_log(house, caplog):
    with caplog.at_level(logging.DEBUG):
        _, codes = await asked_for_deletion(house)
        row = await one(house, SubmissionRow)
        ann, bob = await browser(house), await browser(house, "Bob")
        await ann.note(row.id, f"{CANARY} in a note")
        secrets = await traces.sealed(
            house.waymark,
            f"submission:{row.id}", f"desk:{row.id}", f"conversation:{row.conversation}",
        )  # fmt: skip
        assert len(secrets) == 4
        request = await one(house, PersonRequest)
        await ann.go(f"/staff/requests/{request.id}")
        await ann.send("/propose", reason=f"{CANARY} as a reason")
        await bob.go(f"/staff/requests/{request.id}")
        await bob.send("/confirm")
    await house.database.tidy()
    found = await traces.left(house.waymark)
    for trace in (CANARY, row.reference, row.handle, codes[1]):
        assert trace.encode() not in found, trace
    assert not any(secret in found for secret in secrets)
    for trace in (CANARY, row.reference, codes[1]):
        assert trace not in caplog.text
    assert erased._objects(erased.place(house.waymark))


async def test_a_legal_hold_stops_proposing_and_confirming(house):
    await asked_for_deletion(house)
    row, request = await one(house, SubmissionRow), await one(house, PersonRequest)
    ann, bob, hilda = (
        await browser(house), await browser(house, "Bob"), await browser(house, "Hilda", HEAD),
    )  # fmt: skip
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    await hilda.go(f"/staff/submissions/{row.id}/keeping")
    await hilda.send("/hold", reason="")
    assert hilda.status == 422
    await hilda.send("/hold", reason="A judge asked for it")
    assert "Legal hold" in hilda.text
    assert "A judge asked for it" in hilda.text
    await hilda.go("/staff")
    assert "Legal hold" in hilda.page.select_one(".staff-line").get_text()
    await bob.go(f"/staff/requests/{request.id}")
    assert "There is a legal hold on it" in bob.text
    await bob.send("/confirm")
    assert bob.status == 422
    assert await count(house, SubmissionRow) == 1
    await ann.go(f"/staff/submissions/{row.id}/keeping")
    assert ann.status == 403, "holds are for the headteacher"
    await hilda.go(f"/staff/submissions/{row.id}/keeping")
    await hilda.send("/hold/lift", reason="The case is over")
    hold = await one(house, Hold)
    assert (hold.reason, hold.lifted_because) == ("A judge asked for it", "The case is over")
    await bob.go(f"/staff/requests/{request.id}")
    await bob.send("/confirm")
    assert await count(house, SubmissionRow) == 0


async def test_nothing_is_erased_while_someone_may_be_unsafe(house):
    await asked_for_deletion(house)
    row, request = await one(house, SubmissionRow), await one(house, PersonRequest)
    async with house.database.transaction() as db:
        what = (row.conversation, "unsafe", "urgent", "harm", house.clock())
        alert = await conversations.raise_alert(db, *what)
        await conversations.tie_alerts(db, row.conversation, row.id)
    ann, bob = await browser(house), await browser(house, "Bob")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    assert ann.status == 422
    assert "Say first what was done" in ann.text
    await ann.settle(alert, f"{CANARY}: rang the duty team")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    await bob.go(f"/staff/requests/{request.id}")
    await bob.send("/confirm")
    left = await one(house, Alert)
    assert (left.id, left.submission, left.action) == (alert, None, None)
    assert left.seen_at is not None
    assert (await one(house, Receipt)).stayed["alert"] == 1


async def test_the_second_person_may_send_it_back(house):
    await asked_for_deletion(house)
    request = await one(house, PersonRequest)
    ann, bob = await browser(house), await browser(house, "Bob")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    await bob.go(f"/staff/requests/{request.id}")
    await bob.send("/send-back")
    assert (await one(house, PersonRequest)).state == "open"
    await bob.send("/propose", reason="On second thoughts")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/confirm")
    assert await count(house, SubmissionRow) == 0


async def test_two_who_confirm_at_once_erase_it_once(house):
    await asked_for_deletion(house)
    request = await one(house, PersonRequest)
    ann, bob, cas = (
        await browser(house), await browser(house, "Bob"), await browser(house, "Cas"),
    )  # fmt: skip
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    for one_ in (bob, cas):
        await one_.go(f"/staff/requests/{request.id}")
    await asyncio.gather(bob.send("/confirm"), cas.send("/confirm"))
    assert sorted((bob.status, cas.status)) in ([200, 409], [200, 422])
    assert await count(house, Receipt) == 1


async def test_a_mentor_writes_it_down_but_neither_sees_the_list_nor_decides(house):
    form = OnForm(house)
    await sent(form)
    row = await one(house, SubmissionRow)
    moss = await browser(house, "Moss", MENTOR)
    person = await whoever(house, "Moss")
    async with house.database.transaction() as db:
        await db.execute(sa.update(SubmissionRow).values(owner=person.id))
    await moss.open(row.id)
    await moss.go(f"/staff/submissions/{row.id}/ask")
    await moss.send("/ask", kind="", words="Her aunt rang")
    assert moss.status == 422
    await moss.send("/ask", kind="copy", words=f"{CANARY} rang and wants to see it")
    assert "It is written down" in moss.text
    assert "A full copy was asked for, to be answered by 23 December 2026" in moss.text
    assert (await moss.go("/staff/requests")).status == 403
    request = await one(house, PersonRequest)
    assert (request.channel, request.entered_by) == ("staff", person.id)
    assert (await moss.go(f"/staff/requests/{request.id}")).status == 403
    hilda = await browser(house, "Hilda", HEAD)
    await hilda.go(f"/staff/requests/{request.id}")
    assert f"{CANARY} rang and wants to see it" in hilda.text


# --- Answering ------------------------------------------------------------------------------


async def test_a_refusal_is_told_with_its_reason(house):
    reader, codes = await asked_for_deletion(house)
    request = await one(house, PersonRequest)
    ann = await browser(house)
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/refuse", text="")
    assert ann.status == 422
    await ann.send("/refuse", text="It is part of a court's papers.")
    assert "Refused" in ann.text
    page = await look_up(reader, *codes)
    assert "It is part of a court's papers." in page.text
    assert "asked us on" not in page.text
    assert page.html.select("a[href='/reply/delete']"), "they may ask again"
    assert await count(house, SubmissionRow) == 1


async def test_a_correction_is_answered(house):
    form = OnForm(house)
    codes = await sent(form)
    await look_up(form, *codes)
    await form.follow("Ask us to put something right")
    page = form.page.one("form[action='/reply/correct']")
    await form.send_form(page, words="I am in Year 5")
    request = await one(house, PersonRequest)
    ann = await browser(house)
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/put-right", text="We wrote Year 5 beside it.")
    assert "Done" in ann.text
    page = await look_up(form, *codes)
    assert "We wrote Year 5 beside it." in page.text
    await ann.open((await one(house, SubmissionRow)).id)
    assert "I am in Year 5" in ann.text
    assert "Put right" in ann.text


async def test_a_full_copy_is_looked_through_by_one_and_released_by_another(house):
    row, _, _ = await with_everything(house)
    ann, bob = Staff(house.site), await browser(house, "Bob")
    await ann.use(await accounts.add(house.waymark, "Ann", "ann@example.org", LEAD.value))
    await ann.note(row.id, "Aunt's secret address")
    await ann.go(f"/staff/submissions/{row.id}/ask")
    await ann.send("/ask", kind="copy", words="By letter; passport seen")
    request = await one(house, PersonRequest)
    notes = {note.text: note.id for note in await rows(house.waymark, Note)}
    let_out, held = notes["Secretnote for staff"], notes["Aunt's secret address"]
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/prepare", **{"let-out": let_out, f"why-{held}": ""})
    assert ann.status == 422
    assert "Say why each part" in ann.text
    await ann.send("/prepare", **{"let-out": let_out, f"why-{held}": "It is about someone else"})
    got = await ann.http.get(f"/staff/requests/{request.id}/copy")
    assert "not-released" in got.headers["content-disposition"]
    await ann.note(row.id, "Written after it was looked through")
    csrf = ann.page.select_one("input[name=csrf]")["value"]
    await ann.post(f"/staff/requests/{request.id}/release", {"csrf": csrf})
    assert ann.status == 403
    await bob.go(f"/staff/requests/{request.id}")
    await bob.send("/release")
    assert "It is released" in bob.text

    got = await bob.http.get(f"/staff/requests/{request.id}/copy")
    assert got.headers["content-disposition"] == f'attachment; filename="{row.reference}.html"'
    page = _text(got.text)
    assert "Secretnote for staff" in page
    assert "It is about someone else" in page
    assert "Aunt's secret" not in page
    assert "Written after" not in page
    assert "First answer <b>" in page
    assert "script" not in Outline(got.text).tags
    told = (await bob.http.get(f"/staff/requests/{request.id}/copy.json")).json()
    items = {item["text"]: item["held_back"] for item in told["team"]["items"]}
    assert items == {"Secretnote for staff": None, None: "It is about someone else"}
    assert await count(house, Audit, Audit.action == "request.copied") >= 3


# --- What goes soon -------------------------------------------------------------------------


async def test_staff_see_fourteen_days_ahead_what_goes_and_the_head_keeps_it_longer(house):
    form = OnForm(house)
    await sent(form, CHILD)
    row = await one(house, SubmissionRow)
    ann = await browser(house)
    await ann.move(row.id, "closed-done", "advice", "It is settled")
    await ann.open(row.id)
    assert "It is removed on 23 November 2027" in ann.text
    house.clock.forward(350 * DAY)
    await retention.run(house.waymark)
    ann = await browser(house)
    await ann.go("/staff/keeping")
    assert "Nothing goes within the next 14 days" in ann.text
    house.clock.forward(DAY + timedelta(hours=1))
    await retention.run(house.waymark)
    ann, hilda = await browser(house), await browser(house, "Hilda", HEAD)
    await ann.go("/staff")
    assert "1 submission goes soon" in ann.text
    await ann.go("/staff/keeping")
    line = ann.page.select_one(".staff-line").get_text(" ")
    assert row.handle in line
    assert "23 November 2027" in line
    assert "Last done" in ann.text

    await hilda.go(f"/staff/submissions/{row.id}/keeping")
    for until, why in (("", "Choose until"), ("2027-11-12", "anyway"), ("2099-01-01", "ten years")):
        await hilda.send("/keep-longer", until=until, reason="The review is in March")
        assert hilda.status == 422
        assert why in hilda.text
    await hilda.send("/keep-longer", until="2028-03-01", reason="The review is in March")
    assert "1 March 2028" in hilda.text
    assert "The review is in March" in hilda.text, "kept as a note"
    await hilda.go("/staff/keeping")
    assert "Nothing goes" in hilda.text
    house.clock.forward(105 * DAY)
    await retention.run(house.waymark)
    assert await count(house, SubmissionRow) == 1, "told of anew first"
    house.clock.forward(14 * DAY)
    await retention.run(house.waymark)
    assert await count(house, SubmissionRow) == 0


async def test_a_list_of_what_goes_shows_nobody_what_they_may_not_open(house):
    await sent(OnForm(house), CHILD)
    row = await one(house, SubmissionRow)
    async with house.database.transaction() as db:
        change = sa.update(SubmissionRow).values(
            restricted=True, status="closed-done", closed_at=house.clock()
        )
        await db.execute(change)
    house.clock.forward(355 * DAY)
    await retention.run(house.waymark)
    ann, hilda = await browser(house), await browser(house, "Hilda", HEAD)
    await ann.go("/staff/keeping")
    assert row.handle not in ann.text
    await ann.go("/staff")
    assert "goes soon" not in ann.text
    await hilda.go("/staff/keeping")
    assert row.handle in hilda.text


# --- In a chat ------------------------------------------------------------------------------


@pytest.fixture
async def chat(house) -> Chat:
    """Somebody on Telegram who has said they are 16 or over, sent one thing and begun another."""
    person = Chat(house.http(), house.fake, house.channel)
    await person.start(CONCERN)
    await person.tap("Yes, I am 16 or over")
    await person.tap("No, not right now")
    story = demo.Story(CONCERN, 1, {"danger": "not-now", "harm": "no", "story": CANARY})
    submission = await demo.Sender(house.waymark, "chat", story).talk()
    async with house.database.transaction() as db:
        change = sa.update(SubmissionRow).where(SubmissionRow.id == submission)
        await db.execute(change.values(sender=person.address, channel="telegram"))
    return person


@pytest.mark.parametrize("typed", ["/mydata", "my data", "What do you know about me?"])
async def test_a_chat_is_told_what_we_hold_about_it(house, chat, typed):
    (told,) = await chat.say(typed)
    row = await one(house, SubmissionRow)
    assert row.reference in told.text
    assert "sent on 23 November 2026" in told.text
    assert "You last changed it on 23 November 2026. We delete it on 23 December" in told.text
    assert "/reply" in told.text
    assert CANARY not in told.text
    assert "700" not in told.text, "not even the chat's number"


async def test_a_stranger_is_told_that_we_hold_nothing(house):
    stranger = Chat(house.http(), house.fake, house.channel)
    (told,) = await stranger.say("/mydata")
    assert "We hold nothing about you" in told.text
    assert "16 or over?" in told.text


async def test_delete_with_nothing_unfinished_offers_to_ask(house, chat):
    await chat.say("/delete")
    await chat.tap("Yes, delete it")
    (told,) = await chat.say("delete")
    row = await one(house, SubmissionRow)
    assert row.reference in told.text
    assert f"Ask you to delete {row.reference}" in told.labels


async def test_what_was_not_sent_goes_at_once_from_the_chat(house, chat):
    conversations = await rows(house.waymark, ConversationRow)
    mine = next(row for row in conversations if row.sender == chat.address)
    secrets = await traces.sealed(house.waymark, f"conversation:{mine.id}")
    await chat.say("/mydata")
    (told,) = await chat.tap("Delete what I have not sent")
    assert "Are you sure?" in told.text
    (told,) = await chat.tap("Yes, delete it")
    assert "It is gone" in told.text
    assert await count(house, ConversationRow, ConversationRow.sender == chat.address) == 0
    receipt = await one(house, Receipt)
    assert (receipt.why, receipt.by) == ("sender", "sender")
    await house.database.tidy()
    found = await traces.left(house.waymark)
    assert not any(secret in found for secret in secrets)
    (told,) = await chat.say("/mydata")
    assert "have not sent it" not in told.text


async def test_asking_from_the_chat_reaches_staff_and_the_end_is_told_there(house, chat):
    row = await one(house, SubmissionRow)
    await chat.say("/mydata")
    (told,) = await chat.tap(f"Ask you to delete {row.reference}")
    assert "Two people in our team look at it" in told.text
    assert await count(house, PersonRequest) == 0
    (told,) = await chat.tap("Yes, please delete it")
    assert "Wednesday 23 December" in told.text
    (told,) = await chat.say("/mydata")
    assert "You asked us to delete it on 23 November 2026" in told.text
    assert not any("Ask you" in label for label in told.labels)
    request = await one(house, PersonRequest)
    assert (request.channel, request.words) == ("telegram", None)
    ann, bob = await browser(house), await browser(house, "Bob")
    await ann.go(f"/staff/requests/{request.id}")
    await ann.send("/propose", reason="Nothing came of it")
    await bob.go(f"/staff/requests/{request.id}")
    await bob.send("/confirm")
    await house.channel.delivery.run_due()
    receipt = await one(house, Receipt, Receipt.kind == "submission")
    assert "We have deleted what you sent us" in chat.last.text
    assert receipt.id in chat.last.text
    assert (await one(house, Outbox, Outbox.key.startswith("erased:"))).payload is None


async def test_a_button_from_another_chat_asks_for_nothing(house, chat):
    row = await one(house, SubmissionRow)
    other = Chat(house.http(), house.fake, house.channel)
    await other.start(CONCERN)
    await other.tap("Yes, I am 16 or over")
    (told,) = await other.press(f"Q|{row.reference}")
    assert "We no longer have that" in told.text
    assert await count(house, PersonRequest) == 0


async def test_in_the_browser_chat_my_data_points_the_way(house):
    person = OnChat(house)
    await person.begin(CHILD)
    page = await person.type("my data")
    assert page.status == 200
    assert "/reply" in page.text


async def test_deleting_a_draft_unlinks_what_arrived_and_drops_what_was_still_to_be_said(house):
    person = Chat(house.http(), house.fake, house.channel)
    await person.start(CONCERN)
    await person.tap("Yes, I am 16 or over")
    conversation = await one(house, ConversationRow)
    async with house.database.transaction() as db:
        inbox = await db.scalar(sa.select(Inbox.key).where(Inbox.conversation == conversation.id))
        what = (f"{inbox}#7", person.address, {"text": CANARY}, house.clock() + DAY)
        await outbox.post(db, *what, "carried")
    await person.say("/delete")
    await person.tap("Yes, delete it")
    assert await count(house, Inbox, Inbox.conversation.is_not(None)) == 0
    assert await count(house, Outbox, Outbox.key == f"{inbox}#7") == 0
    assert await count(house, DataKey, DataKey.owner == f"letter:{inbox}#7") == 0


# --- As they look ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_pages_fit_and_have_no_accessibility_faults(tmp_path, page, width):
    async with served(tmp_path) as (house, address):
        _, codes = await asked_for_deletion(house)
        request = await one(house, PersonRequest)
        row = await one(house, SubmissionRow)
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{address}/reply")
        await page.fill("#reference", codes[0])
        await page.fill("#code", codes[1])
        await page.get_by_role("button", name="Read the reply").click()
        for path in ("/reply/read", "/reply/correct", "/reply/delete", "/privacy"):
            await page.goto(address + path)
            await looked_at(page)
        link = await accounts.add(house.waymark, "Hilda", "hilda@example.org", HEAD.value)
        await page.goto(f"{address}/staff{link.split('/staff', 1)[1]}")
        await page.get_by_role("main").get_by_role("button").click()
        for path in (
            "/staff/requests", f"/staff/requests/{request.id}", "/staff/keeping",
            f"/staff/submissions/{row.id}", f"/staff/submissions/{row.id}/keeping",
            f"/staff/submissions/{row.id}/ask", "/staff/receipts",
        ):  # fmt: skip
            await page.goto(address + path)
            await looked_at(page)


async def looked_at(page):
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url
