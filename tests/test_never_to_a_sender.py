"""What staff write to each other never reaches a sender: no byte that goes out to one has a word of
it, on any channel, on any page, errors included."""

from __future__ import annotations

import random

import pytest

from bot.store import conversations
from bot.store.models import Outbox, SubmissionRow
from content.schema import Role
from tests.alarms import done
from tests.drivers import people
from tests.drivers.waymark import running
from tests.drivers.web import Visitor
from tests.opened import rows
from tests.public import plainly
from web.casework import access, accounts, alerts, review
from web.casework.permissions import Person
from web.casework.reasons import Why
from web.casework.review import Move, Seen

CHANCE = random.Random(20261123)  # the same notes each time
AROUND = (
    "", " ", "<b>", "</script>", "{{7*7}}", "{reference}", "%s", "\n\n", "\u202e", "é", "😀", "'",
    '"', "&amp;", "--", "=1+1", "\x00\x7f", "VS-0000-0000", "http://staff.example/", "`", "\\",
)  # fmt: skip


class Canaries:
    """Words for staff only, each with a mark of its own that can be looked for."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    def __call__(self) -> str:
        mark = f"canary{CHANCE.getrandbits(64):016x}"
        self.marks.append(mark)
        around = [CHANCE.choice(AROUND) for _ in range(6)]
        return "".join(around[:3]) + mark + "".join(around[3:]) + " and more"

    def flown(self, heard: bytes) -> list[str]:
        return [mark for mark in self.marks if mark.encode() in heard]


async def staff(house, name, role, team):
    async with house.database.transaction() as db:
        id_ = await accounts.make(house.waymark, db, name, f"{name}@example.org", role, team)
    return Person(id_, name, role, team)


async def handled(house, canary: Canaries) -> SubmissionRow:
    """Everything staff can write about it: notes, reasons, what was done; and two replies."""
    waymark = house.waymark
    (row,) = await rows(waymark, SubmissionRow)
    ann = await staff(house, "Ann", Role.EDUCATION_COORDINATOR, "virtual-school")
    tam = await staff(house, "Tam", Role.EDUCATION_COORDINATOR, "transitions")
    head = await staff(house, "Hilda", Role.HEADTEACHER, "virtual-school")
    async with house.database.transaction() as db:
        what = (row.conversation, "role", "urgent", "harm", house.clock())
        alert = await conversations.raise_alert(db, *what)
        await conversations.tie_alerts(db, row.conversation, row.id)
    await review.take(waymark, ann, Seen(row.id, row.version))
    for number in range(20):
        await review.write_note(waymark, ann, row.id, canary(), str(number))
    await review.reply(waymark, ann, row.id, "Our first answer", "1", 0)
    await access.give_reason(waymark, tam, row.id, Why("cover", canary()))
    await review.write_note(waymark, tam, row.id, canary(), "tam")
    await access.restrict(waymark, head, Seen(row.id, await version(house)), on=True)
    await access.break_glass(waymark, tam, row.reference, Why("safety", canary()))
    await alerts.settle(waymark, ann, alert, done(canary()))
    closed = Move("closed-done", "advice", canary())
    await review.move(waymark, ann, Seen(row.id, await version(house)), closed)
    await review.reply(waymark, head, row.id, "Our last answer", "2", 1)
    assert len(canary.marks) == 25
    return row


async def version(house) -> int:
    (row,) = await rows(house.waymark, SubmissionRow)
    return row.version


def listen(visitor: Visitor) -> list[bytes]:
    """Every byte of every answer this browser gets."""
    heard: list[bytes] = []

    async def hear(response) -> None:
        heard.extend((await response.aread(), repr(response.headers.multi_items()).encode()))

    visitor.http.event_hooks["response"].append(hear)
    return heard


@pytest.mark.parametrize("channel", ["form", "chat"])
async def test_nothing_for_staff_is_in_any_page_a_sender_can_open(channel, tmp_path):
    canary = Canaries()
    async with running(tmp_path) as house:
        sender = people.on(channel, house)
        heard = listen(sender)
        await sender.begin("raise-a-concern")
        await plainly(sender, "raise-a-concern")
        await sender.send()
        code = sender.page.html.select(".wm-code")[-1].get_text(strip=True)
        row = await handled(house, canary)
        sure = [f"/{channel}/{row.conversation}", f"/{channel}/{row.conversation}/nothing"]
        pages = ["/", "/answers", "/help-now", "/privacy", "/resume", "/reply/read", "/nothing"]
        form = [f"/form/{row.conversation}{end}" for end in ("/check", "/sent", "/end", "/role")]
        desk = [f"/staff/submissions/{row.id}{end}" for end in ("", "/notes", "/reason")]
        for address in (*sure, *pages, *form, *desk, f"/staff/find?q={row.reference}"):
            await sender.open(address)
        for given in ("WRONG-WRONG-WRON", code):
            await sender.open("/reply")
            asked = sender.page.one("form[action='/reply']")
            await sender.send_form(asked, reference=row.reference, code=given)
        assert sender.page.path == "/reply/read"
        await sender.post(f"/{channel}/{row.conversation}", [("press", "x"), ("text", "help")])
        await sender.post(f"/staff/submissions/{row.id}/notes", [("text", "hello")])
        start = await sender.open("/start/raise-a-concern")
        assert start.status == 200
    whole = b"".join(heard)
    assert b"Our first answer" in whole
    assert b"Our last answer" in whole
    assert len(heard) > 60
    assert canary.flown(whole) == []


async def test_nothing_for_staff_goes_out_to_a_chat(tmp_path):
    canary = Canaries()
    async with running(tmp_path) as house:
        sender = people.on("telegram", house)
        await sender.begin("raise-a-concern")
        await plainly(sender, "raise-a-concern")
        await sender.send()
        await handled(house, canary)
        await house.channel.delivery.run_due()
        for words in ("/start", "help", "check", "what?", "stop", "/start nonsense"):
            await sender.person.say(words)
        await sender.person.again()
        letters = [letter.payload for letter in await rows(house.waymark, Outbox)]
        spoken = repr((house.fake.calls, house.fake.chats, letters)).encode()
    assert b"Our first answer" in spoken
    assert b"Our last answer" in spoken
    assert len(house.fake.calls) > 40
    assert canary.flown(spoken) == []


async def test_what_is_listened_for_would_be_heard(tmp_path):
    """The test's own ears: were a note sent as a reply, it would be found."""
    canary = Canaries()
    async with running(tmp_path) as house:
        sender = people.on("telegram", house)
        await sender.begin("raise-a-concern")
        await plainly(sender, "raise-a-concern")
        await sender.send()
        (row,) = await rows(house.waymark, SubmissionRow)
        eve = await staff(house, "Eve", Role.HEADTEACHER, "virtual-school")
        await review.reply(house.waymark, eve, row.id, canary(), "1", 0)
        await house.channel.delivery.run_due()
        spoken = repr(house.fake.calls).encode()
    assert canary.flown(spoken) == canary.marks
