"""What was kept long enough goes, whole and with a receipt; what must stay stays."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import erased, nightly, periods, retention
from bot import requests as asking
from bot.erasure import digest
from bot.errors import Erased, NotAllowed
from bot.periods import Kept
from bot.retention import Chore
from bot.store import (
    attachments,
    conversations,
    erasure,
    holds,
    kept,
    outbox,
    requests,
    sealing,
    staff,
)
from bot.store.models import (
    Alert,
    Attachment,
    Attempt,
    Audit,
    Base,
    ConversationRow,
    DataKey,
    Duty,
    Hold,
    Inbox,
    Note,
    Outbox,
    PersonRequest,
    Receipt,
    Reply,
    Sender,
    SignInLink,
    Staff,
    StaffSession,
    SubmissionRow,
)
from content.schema import Audience, Role
from tests import traces
from tests.alarms import done
from tests.drivers.waymark import CONTENT, wired
from tests.opened import rows
from web import demo
from web.casework import accounts, alerts, review
from web.casework import erasure as erase
from web.casework.permissions import Person
from web.casework.receipts import REMOVED, told
from web.casework.review import Move, Seen
from web.chores import CHORES

CONCERN = {"danger": "not-now", "harm": "no", "role": "foster-carer"}
UNSAFE = {**CONCERN, "danger": "not-sure"}
CANARY = "Zaunkoenig"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgres"])
async def house(request, tmp_path):
    """A Waymark and its clock, on both databases."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    waymark, clock = wired(tmp_path, url)
    await waymark.database.migrate()
    yield waymark, clock
    await waymark.database.close()


@pytest.fixture
async def held(tmp_path):
    """The same on one database only."""
    waymark, clock = wired(tmp_path)
    await waymark.database.migrate()
    yield waymark, clock
    await waymark.database.close()


async def member(waymark, name="Ann", role=Role.HEADTEACHER):
    async with waymark.database.transaction() as db:
        id_ = await accounts.make(waymark, db, name, f"{name}@example.org", role)
    return Person(id_, name, role)


async def sent(waymark, name="one", flow="raise-a-concern", until=None, **answers):
    given = {**CONCERN, "story": f"{CANARY} said", **answers} if flow != VIEWS else answers
    return await demo.Sender(waymark, name, demo.Story(flow, 1, given, until=until)).talk()


VIEWS = "my-views-years-3-to-6"


async def close(waymark, person, submission):
    (row,) = await rows(waymark, SubmissionRow, SubmissionRow.id == submission)
    wanted = Move("closed-done", "advice", f"{CANARY} was helped")
    await review.move(waymark, person, Seen(submission, row.version), wanted)


async def closed(waymark, name="one", **more):
    head = await member(waymark, f"Head of {name}")
    submission = await sent(waymark, name, **more)
    await close(waymark, head, submission)
    return submission


async def count(waymark, table, *where):
    return len(await rows(waymark, table, *where))


async def nights(waymark, clock, days):
    """So many nights, each with its run."""
    for _ in range(days):
        clock.forward(DAY)
        await retention.run(waymark)


def with_policy(waymark, **periods_):
    """The same with other periods in its content."""
    policy = waymark.content.policy
    changed = policy.retention.model_copy(update=periods_)
    content = dataclasses.replace(
        waymark.content, policy=policy.model_copy(update={"retention": changed})
    )
    return dataclasses.replace(waymark, content=content)


# --- Deciding -------------------------------------------------------------------------------


def thing(**more):
    return Kept(**{"sort": "submission", "id": "x", "since": NOW, "outcome": "views", **more})


def test_it_goes_when_its_period_is_over_and_it_was_told_of_in_time():
    told = NOW + timedelta(days=340)
    one = thing(warned_at=told)
    assert periods.end(CONTENT, one, NOW) == NOW + timedelta(days=365)
    assert periods.due(CONTENT, [one], NOW + timedelta(days=364)) == []
    assert periods.due(CONTENT, [one], NOW + timedelta(days=365)) == [one]


def test_what_nobody_was_told_of_waits_until_they_were():
    late = NOW + timedelta(days=1000)
    assert periods.due(CONTENT, [thing()], late) == []
    assert periods.to_warn_of(CONTENT, [thing()], late) == [thing()]
    told = thing(warned_at=late)
    assert periods.due(CONTENT, [told], late + timedelta(days=13)) == []
    assert periods.due(CONTENT, [told], late + timedelta(days=14)) == [told]


@pytest.mark.parametrize("why", ["hold", "alert", "request"])
def test_what_is_held_never_goes(why):
    assert periods.due(CONTENT, [thing(warned_at=NOW, held_by=(why,))], NOW + 9999 * DAY) == []


def test_what_the_headteacher_keeps_longer_goes_later():
    one = thing(warned_at=NOW, until=NOW + 500 * DAY)
    assert periods.due(CONTENT, [one], NOW + 499 * DAY) == []
    assert periods.due(CONTENT, [one], NOW + 500 * DAY) == [one]


def test_a_childs_words_are_kept_the_shortest_time():
    kept_for = {
        audience: periods.days(CONTENT, "unfinished_conversation", flow.id)
        for flow in CONTENT.flows.values()
        for audience in [flow.audience]
    }
    assert kept_for == {Audience.CHILD: 14, Audience.YOUNG_PERSON: 28, Audience.ADULT: 30}
    assert periods.days(CONTENT, "unfinished_conversation", "withdrawn") == 14


# --- What people began ----------------------------------------------------------------------


async def test_an_unfinished_conversation_goes_whole_with_its_key(house):
    waymark, clock = house
    assert await sent(waymark, "child", VIEWS, until="year") is None
    await sent(waymark, "adult", until="urgency")
    child, adult = await rows(waymark, ConversationRow)
    if child.flow != VIEWS:
        child, adult = adult, child
    secrets = await traces.sealed(waymark, f"conversation:{child.id}")
    assert secrets
    clock.forward(13 * DAY)
    await retention.run(waymark)
    assert await count(waymark, ConversationRow) == 2
    clock.forward(2 * DAY)
    swept = await retention.run(waymark)
    assert swept.removed["unfinished_conversation"] == 1
    (left,) = await rows(waymark, ConversationRow)
    assert left.id == adult.id
    found = await traces.left(waymark)
    assert not any(secret in found for secret in secrets)
    (receipt,) = await rows(waymark, Receipt)
    assert (receipt.kind, receipt.why, receipt.by) == ("conversation", "period", "waymark")
    assert receipt.removed["data_key"] == 1
    assert child.id not in repr(receipt)


async def test_the_copy_of_what_was_sent_goes_after_two_days_without_a_receipt(house):
    waymark, clock = house
    submission = await sent(waymark)
    clock.forward(3 * DAY)
    swept = await retention.run(waymark)
    assert swept.removed["finished_conversation"] == 1
    assert await count(waymark, ConversationRow) == 0
    assert await count(waymark, Receipt) == 0
    (row,) = await rows(waymark, SubmissionRow)
    assert row.id == submission
    assert CANARY in repr(row.payload)


async def test_an_alert_outlives_the_draft_it_came_from_and_goes_in_its_time(house):
    waymark, clock = house
    head = await member(waymark)
    await sent(waymark, until="role", danger="not-sure")
    (alert,) = await rows(waymark, Alert)
    clock.forward(31 * DAY)
    await retention.run(waymark)
    assert await count(waymark, ConversationRow) == 1, "nobody has said yet what was done"
    await alerts.settle(waymark, head, alert.id, done(f"Rang about {CANARY}"))
    await retention.run(waymark)
    assert await count(waymark, ConversationRow) == 0
    (left,) = await rows(waymark, Alert)
    assert left.action == f"Rang about {CANARY}"
    clock.forward(730 * DAY)
    await retention.run(waymark)
    assert await count(waymark, Alert) == 0
    assert await count(waymark, DataKey, DataKey.owner == f"alert:{alert.id}") == 0


# --- What was sent --------------------------------------------------------------------------


async def everything_about(waymark, person, submission):
    """Whatever can hang on a submission, each with a canary in it."""
    await review.write_note(waymark, person, submission, f"{CANARY} note", "once")
    async with waymark.database.transaction() as db:
        await db.execute(
            sa.update(SubmissionRow)
            .where(SubmissionRow.id == submission)
            .values(sender="telegram:77", channel="telegram")
        )
    await review.reply(waymark, person, submission, f"{CANARY} reply", "once", 0)
    for alert in await rows(waymark, Alert, Alert.submission == submission):
        await alerts.settle(waymark, person, alert.id, done(f"{CANARY} action"))
    async with waymark.database.transaction() as db:
        at = waymark.clock()
        await holds.place(db, "hold", submission, person.id, f"{CANARY} hold", at)
        await holds.lift(db, submission, person.id, f"{CANARY} lifted", at)
        asked = {"id": "asked", "kind": "correction", "submission": submission, "state": "open"}
        words = f"{CANARY} is wrong"
        await requests.add(
            db, **asked, words=words, channel="web", made_at=at, due_at=at, entered_by=None
        )
        row = await requests.get(db, "asked")
        await requests.decide(db, row, "done", person.id, at)


async def test_a_submission_goes_with_all_that_hangs_on_it_and_leaves_a_receipt(house):
    waymark, clock = house
    head = await member(waymark)
    submission = await sent(waymark, danger="not-sure")
    await everything_about(waymark, head, submission)
    await attach(waymark, "any", submission)
    await close(waymark, head, submission)
    (row,) = await rows(waymark, SubmissionRow)
    (alert,) = await rows(waymark, Alert)
    (reply,) = await rows(waymark, Reply)
    owners = [
        f"{kind}:{id_}"
        for kind, id_ in [
            ("submission", submission), ("desk", submission), ("alert", alert.id),
            ("letter", f"reply:{reply.id}"), ("request", "asked"),
        ]
    ]  # fmt: skip
    secrets = await traces.sealed(waymark, *owners)
    assert len(secrets) == 6, "one each, and the submission's for its sender too"
    clock.forward(3 * DAY)
    await retention.run(waymark)
    clock.forward((730 - 14 - 3) * DAY)
    await retention.run(waymark)
    clock.forward(13 * DAY)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1, "a day too early"
    clock.forward(2 * DAY)
    await retention.run(waymark)

    for table in (SubmissionRow, Note, Reply, Alert, Hold, Outbox, ConversationRow):
        assert await count(waymark, table) == 0, table
    assert await count(waymark, DataKey) == 0
    (asked,) = await rows(waymark, PersonRequest)
    assert (asked.submission, asked.words, asked.proposal) == (None, None, None)
    receipt = (await rows(waymark, Receipt))[-1]
    assert receipt.kind == "submission"
    assert receipt.removed == {
        "submission": 1, "note": 2, "reply": 1, "alert": 1, "hold": 1, "outbox": 1, "data_key": 6,
    }  # fmt: skip
    assert receipt.stayed["person_request"] == 1
    assert receipt.stayed["audit"] == await count(waymark, Audit, Audit.object_id.in_(
        [submission, row.conversation, alert.id, "asked"])) - 1  # fmt: skip
    assert receipt.backups_forget_by == receipt.at + timedelta(days=35)
    found = await traces.left(waymark)
    for trace in (CANARY, row.reference, row.handle):
        assert trace.encode() not in found, trace
    assert not any(secret in found for secret in secrets)


async def test_the_byte_search_would_find_what_is_still_there(house):
    waymark, _ = house
    submission = await sent(waymark)
    (row,) = await rows(waymark, SubmissionRow)
    secrets = await traces.sealed(waymark, f"submission:{submission}")
    await waymark.database.tidy()
    found = await traces.left(waymark)
    assert row.reference.encode() in found
    assert all(secret in found for secret in secrets)
    assert CANARY.encode() not in found, "words are sealed from the start"


async def test_without_the_key_nobody_can_open_what_a_disk_may_still_hold(house):
    """The blob is put back as if from a block that was never overwritten."""
    waymark, clock = house
    submission = await closed(waymark)
    async with waymark.database.reading() as db:
        blob = await db.scalar(sa.select(SubmissionRow.payload))
    await nights(waymark, clock, 1)
    clock.forward(730 * DAY)
    await retention.run(waymark)
    clock.forward(14 * DAY)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 0
    with pytest.raises(Erased):
        async with waymark.database.reading() as db:
            await sealing.opened(
                db, f"submission:{submission}", SubmissionRow.payload, submission, blob
            )


async def test_open_ones_are_never_removed(held):
    waymark, clock = held
    await sent(waymark)
    clock.forward(9999 * DAY)
    await retention.run(waymark)
    clock.forward(99 * DAY)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1


async def test_opened_again_its_time_starts_anew(held):
    waymark, clock = held
    head = await member(waymark)
    submission = await sent(waymark)
    await close(waymark, head, submission)
    clock.forward(720 * DAY)
    await retention.run(waymark)
    (row,) = await rows(waymark, SubmissionRow)
    assert row.warned_at is not None
    await review.move(waymark, head, Seen(submission, row.version), Move("triage"))
    (row,) = await rows(waymark, SubmissionRow)
    assert (row.closed_at, row.warned_at) == (None, None)
    clock.forward(30 * DAY)
    await close(waymark, head, submission)
    clock.forward(30 * DAY)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1


async def test_a_period_changed_in_content_takes_effect_after_a_warning(held):
    waymark, clock = held
    await closed(waymark)
    clock.forward(100 * DAY)
    await retention.run(waymark)
    shorter = with_policy(waymark, submission={"concern": 90, "other": 90})
    await retention.run(shorter)
    assert await count(waymark, SubmissionRow) == 1, "nobody was told yet"
    clock.forward(15 * DAY)
    await retention.run(shorter)
    assert await count(waymark, SubmissionRow) == 0


async def test_a_longer_period_in_content_keeps_drafts_too(held):
    waymark, clock = held
    await sent(waymark, until="urgency")
    clock.forward(31 * DAY)
    longer = dict.fromkeys(Audience, 60)
    await retention.run(with_policy(waymark, unfinished_conversation=longer))
    assert await count(waymark, ConversationRow) == 1
    await retention.run(waymark)
    assert await count(waymark, ConversationRow) == 0


# --- Before its time ------------------------------------------------------------------------


async def asked(waymark, submission, kind="deletion", **more):
    async with waymark.database.transaction() as db:
        await asking.ask(waymark, db, kind, submission, "web", **more)
        return next(row.id for row in await requests.of(db, submission) if row.kind == kind)


async def test_erased_by_two_it_is_gone_on_either_database(house):
    waymark, _ = house
    head, lead = await member(waymark), await member(waymark, "Bob", Role.EDUCATION_COORDINATOR)
    submission = await sent(waymark, danger="not-sure")
    await everything_about(waymark, head, submission)
    await attach(waymark, "any", submission)
    request = await asked(waymark, submission)
    other = await asked(waymark, submission, "correction", words=f"{CANARY} is spelt so")
    (row,) = await rows(waymark, SubmissionRow)
    (alert,) = await rows(waymark, Alert)
    async with waymark.database.reading() as db:
        every = (await db.execute(sa.select(DataKey.owner, DataKey.wrapped))).all()
    await erase.propose(waymark, head, request, f"{CANARY} asked kindly")
    foreseen = await erase.foresee(waymark, row)
    with pytest.raises(NotAllowed, match="somebody else"):
        await erase.confirm(waymark, head, request)
    receipt = await erase.confirm(waymark, lead, request)

    for table in (SubmissionRow, ConversationRow, Note, Reply, Hold, Attachment):
        assert await count(waymark, table) == 0, table
    assert {row.receipt for row in await rows(waymark, PersonRequest)} == {receipt}
    assert {row.state for row in await rows(waymark, PersonRequest)} == {"done"}
    assert other != request
    (left,) = await rows(waymark, Alert)
    assert (left.id, left.submission, left.action) == (alert.id, None, None)
    (kept_,) = await rows(waymark, Receipt)
    assert (kept_.by, kept_.second) == (head.id, lead.id)
    assert told(kept_.removed, REMOVED) == foreseen.removed
    assert kept_.stayed["alert"] == 1
    # What is left is the letter that tells them, in their chat.
    (letter,) = await rows(waymark, Outbox)
    assert receipt in letter.payload["text"]
    async with waymark.database.transaction() as db:
        await outbox.settle(db, letter.id, "sent", waymark.clock())
    await waymark.database.tidy()
    found = await traces.left(waymark)
    for trace in (CANARY, row.reference, row.handle):
        assert trace.encode() not in found, trace
    gone = [wrapped for owner, wrapped in every if not owner.startswith("staff:")]
    assert len(gone) >= 8
    assert not any(wrapped in found for wrapped in gone)


async def test_two_who_confirm_at_once_are_one_on_either_database(house):
    waymark, _ = house
    head = await member(waymark)
    others = [await member(waymark, name, Role.EDUCATION_COORDINATOR) for name in ("Bob", "Cas")]
    submission = await sent(waymark)
    request = await asked(waymark, submission)
    await erase.propose(waymark, head, request, "Nothing came of it")
    did = await asyncio.gather(
        *(erase.confirm(waymark, one, request) for one in others), return_exceptions=True
    )
    assert sorted(isinstance(one, str) for one in did) == [False, True], did
    assert await count(waymark, Receipt) == 1


# --- What keeps it from going ---------------------------------------------------------------


async def test_a_legal_hold_keeps_it_until_it_is_lifted_and_warned_of_again(house):
    waymark, clock = house
    head = await member(waymark)
    submission = await closed(waymark)
    async with waymark.database.transaction() as db:
        await holds.place(db, "h1", submission, head.id, "A court may ask", clock())
    clock.forward(720 * DAY)
    await retention.run(waymark)
    clock.forward(100 * DAY)
    swept = await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1
    assert swept.left == {}, "held is not overdue"
    assert (await retention.preview(waymark))["submission"].held == 1
    async with waymark.database.transaction() as db:
        await holds.lift(db, submission, head.id, "It is over", clock())
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 0


async def test_what_somebody_asked_about_stays_until_they_are_answered(house):
    waymark, clock = house
    submission = await closed(waymark)
    async with waymark.database.transaction() as db:
        at = clock()
        asked = {"id": "asked", "kind": "copy", "submission": submission, "state": "open"}
        await requests.add(
            db, **asked, words=None, channel="web", made_at=at, due_at=at, entered_by=None
        )
    clock.forward(720 * DAY)
    await retention.run(waymark)
    clock.forward(100 * DAY)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1


async def test_a_hold_placed_while_the_run_looks_is_seen_in_time(held, monkeypatch):
    """Between looking and removing somebody places a hold: it must not go."""
    waymark, clock = held
    head = await member(waymark)
    submission = await closed(waymark)
    clock.forward(720 * DAY)
    await retention.run(waymark)
    clock.forward(20 * DAY)
    batch = retention._batch

    async def with_a_hold_first(waymark_, sort, ids, now):
        if sort.name == "submission":
            async with waymark.database.transaction() as db:
                await holds.place(db, "h1", submission, head.id, "Just now", now)
        return await batch(waymark_, sort, ids, now)

    monkeypatch.setattr(retention, "_batch", with_a_hold_first)
    await retention.run(waymark)
    assert await count(waymark, SubmissionRow) == 1


# --- All the rest ---------------------------------------------------------------------------


async def attach(waymark, conversation, submission=None, content=b"Zaunkoenig in a picture"):
    async with waymark.database.transaction() as db:
        owner = f"submission:{submission}" if submission else f"conversation:{conversation}"
        box = await sealing.box(db, owner)
        what = {"id": waymark.new_id(), "conversation": conversation, "submission": submission}
        what |= {"question": "show-us", "kind": "picture", "media_type": "image/jpeg"}
        await attachments.add(db, box, content, **what, scan="clean", made_at=waymark.clock())


async def test_files_go_first_and_a_hold_keeps_them_too(house):
    waymark, clock = house
    head = await member(waymark)
    loose, firm = await closed(waymark, "loose"), await closed(waymark, "firm")
    await attach(waymark, "any", loose)
    await attach(waymark, "any", firm)
    async with waymark.database.reading() as db:
        query = sa.select(Attachment.content).where(Attachment.submission == loose)
        blob = await db.scalar(query)
    async with waymark.database.transaction() as db:
        await holds.place(db, "h1", firm, head.id, "A court may ask", clock())
    clock.forward(89 * DAY)
    await retention.run(waymark)
    assert await count(waymark, Attachment) == 2
    clock.forward(2 * DAY)
    swept = await retention.run(waymark)
    assert swept.removed["attachment"] == 1
    assert [row.submission for row in await rows(waymark, Attachment)] == [firm]
    assert blob not in await traces.left(waymark)


async def test_files_that_were_never_sent_go_with_their_conversation(house):
    waymark, clock = house
    await sent(waymark, until="urgency")
    (conversation,) = await rows(waymark, ConversationRow)
    await attach(waymark, conversation.id)
    clock.forward(31 * DAY)
    await retention.run(waymark)
    assert await count(waymark, Attachment) == 0
    (receipt,) = await rows(waymark, Receipt)
    assert receipt.removed["attachment"] == 1


async def test_letters_keys_and_traces_of_coming_and_going_go_soon(house):
    waymark, clock = house
    head = await member(waymark)
    async with waymark.database.transaction() as db:
        at = clock()
        await outbox.post(db, "telegram:1#0", "telegram:77", {"text": CANARY}, at, "carried")
        await outbox.post(db, "telegram:2#0", "telegram:77", {"text": CANARY}, at)
        await db.execute(sa.insert(Inbox).values(key="telegram:1", received_at=at, dead=False))
        await db.execute(sa.insert(Sender).values(address="telegram:77", seen_at=at))
        await staff.add_attempt(db, "sign-in:x", at)
        await staff.add_link(db, "link", head.id, at)
        session = {"key": "k", "staff": head.id, "csrf": "c", "started_at": at, "seen_at": at}
        session |= {"role": "headteacher", "how": "link", "browser": "A browser"}
        await db.execute(sa.insert(StaffSession).values(**session))
        await conversations.bury(db, "telegram:3", f"{CANARY}", "ValueError", at)
    clock.forward(2 * DAY)
    swept = await retention.run(waymark)
    assert {"staff_session", "sign_in_link", "attempt"} <= set(swept.removed)
    for table in (StaffSession, SignInLink, Attempt):
        assert await count(waymark, table) == 0
    clock.forward(6 * DAY)
    await retention.run(waymark)
    (dead,) = await rows(waymark, Inbox)
    assert dead.dead
    assert [row.state for row in await rows(waymark, Outbox)] == ["queued"]
    clock.forward(23 * DAY)
    await retention.run(waymark)
    await retention.run(waymark)
    assert [await count(waymark, t) for t in (Inbox, Outbox, DataKey, Sender)] == [0, 0, 0, 0]


async def test_an_address_with_something_open_is_not_forgotten(held):
    waymark, clock = held
    submission = await sent(waymark)
    clock.forward(40 * DAY)
    await retention.run(waymark)
    assert await count(waymark, Sender) == 1
    await close(waymark, await member(waymark), submission)
    await retention.run(waymark)
    assert await count(waymark, Sender) == 0


async def test_how_far_a_reply_got_is_known_for_as_long_as_the_reply(held):
    waymark, clock = held
    head = await member(waymark)
    submission = await sent(waymark)
    await everything_about(waymark, head, submission)
    async with waymark.database.transaction() as db:
        (letter,) = await outbox.claim(db, clock(), "telegram")
        await outbox.settle(db, letter.id, "blocked", clock())
    clock.forward(60 * DAY)
    await retention.run(waymark)
    (letter,) = await rows(waymark, Outbox)
    assert letter.state == "blocked"


async def test_whoever_left_long_ago_is_a_number_to_the_audit(house):
    waymark, clock = house
    ann = await member(waymark)
    async with waymark.database.transaction() as db:
        await staff.switch_off(db, ann.id, "headteacher", clock())
    clock.forward(2191 * DAY)
    await retention.run(waymark)
    (row,) = await rows(waymark, Staff)
    assert row.name == "Ann"
    clock.forward(2 * DAY)
    swept = await retention.run(waymark)
    assert swept.removed["staff"] == 1
    (row,) = await rows(waymark, Staff)
    assert row.id == ann.id
    assert "Ann" not in repr(row)
    assert (await retention.run(waymark)).removed.get("staff") is None


async def test_switched_on_again_nobody_is_forgotten(held):
    waymark, clock = held
    ann = await member(waymark)
    async with waymark.database.transaction() as db:
        await staff.switch_off(db, ann.id, "headteacher", clock())
    clock.forward(1000 * DAY)
    async with waymark.database.transaction() as db:
        await staff.change(db, ann.id, active=True, off_because=None, off_at=None)
    clock.forward(2000 * DAY)
    await retention.run(waymark)
    (row,) = await rows(waymark, Staff)
    assert row.name == "Ann"


async def test_the_log_is_cut_by_the_nightly_chores(held):
    waymark, clock = held
    await sent(waymark)
    clock.forward(2300 * DAY)
    before = await count(waymark, Audit)
    swept = await retention.run(waymark, CHORES)
    assert swept.removed["audit"] == before


# --- A run ----------------------------------------------------------------------------------


async def furnished(waymark, clock):
    """A house in which much is due."""
    for number in range(2):
        await closed(waymark, f"closed-{number}")
        await sent(waymark, f"draft-{number}", until="urgency")
    clock.forward(720 * DAY)
    await retention.run(waymark)
    for number in range(2):
        await sent(waymark, f"late-{number}", VIEWS, until="year")
    clock.forward(20 * DAY)


async def test_what_was_foreseen_is_what_is_done(house):
    waymark, clock = house
    await furnished(waymark, clock)
    before = {table: await count(waymark, table) for table in (SubmissionRow, ConversationRow)}
    foreseen = {name: one.due for name, one in (await retention.preview(waymark)).items()}
    assert foreseen["submission"] == 2
    assert foreseen["unfinished_conversation"] == 2
    assert before == {t: await count(waymark, t) for t in before}, "looking changes nothing"
    swept = await retention.run(waymark)
    assert swept.removed == {name: many for name, many in foreseen.items() if many}
    assert swept.left == {}


async def test_looking_ahead_tells_the_months(held):
    waymark, _ = held
    await closed(waymark)
    await sent(waymark, "draft", until="urgency")
    ahead = await retention.preview(waymark, 36)
    assert ahead["submission"].months == {"2028-11": 1}
    assert ahead["unfinished_conversation"].months == {"2026-12": 1}


class Killed(BaseException):
    """As when the process is ended from outside."""


@pytest.mark.parametrize("step", [0, 7])
async def test_killed_in_the_middle_nothing_is_half_gone_and_the_next_run_finishes(
    house, monkeypatch, step
):
    waymark, clock = house
    await furnished(waymark, clock)
    whole = {s.id for s in await rows(waymark, SubmissionRow)}
    done, carry_out = 0, erasure.carry_out

    async def until_killed(db, plan):
        nonlocal done
        for each in plan.steps:
            if done == 14 + step:
                raise Killed
            done += 1
            await carry_out(db, erasure.Plan([each]))
        return erasure.Counts({}, {})

    monkeypatch.setattr(erasure, "carry_out", until_killed)
    with pytest.raises(Killed):
        await retention.run(waymark)
    monkeypatch.setattr(erasure, "carry_out", carry_out)
    left = await rows(waymark, SubmissionRow)  # each is opened: none has lost its key
    assert {row.id for row in left} <= whole
    for row in left:
        assert CANARY in repr(row.payload)
        assert await count(waymark, Note, Note.submission == row.id) == 1
    notes = {note.submission for note in await rows(waymark, Note)}
    assert notes == {row.id for row in left}
    assert await retention.run(waymark) is None, "the one that was killed may still be at it"
    clock.forward(timedelta(minutes=16))
    swept = await retention.run(waymark)
    assert swept.left == {}
    assert await count(waymark, SubmissionRow) == 0
    assert await erased.reconcile(waymark) == 0


async def test_one_that_fails_keeps_no_other_from_going_and_is_said(held, monkeypatch, caplog):
    waymark, clock = held
    await furnished(waymark, clock)
    bad = (await rows(waymark, SubmissionRow))[0].id
    of_submission = erasure.of_submission

    async def failing(db, row, **more):
        if row.id == bad:
            raise RuntimeError(f"{CANARY} in an error's text")
        return await of_submission(db, row, **more)

    monkeypatch.setattr(erasure, "of_submission", failing)
    with caplog.at_level(logging.ERROR):
        swept = await retention.run(waymark)
    assert swept.left == {"submission": 1}
    assert [row.id for row in await rows(waymark, SubmissionRow)] == [bad]
    assert "overdue" in caplog.text
    assert CANARY not in caplog.text
    (duty,) = await rows(waymark, Duty)
    assert duty.left == 1


async def test_two_at_once_are_one(house):
    waymark, clock = house
    await furnished(waymark, clock)
    both = await asyncio.gather(retention.run(waymark), retention.run(waymark))
    assert sorted(swept is None for swept in both) == [False, True]


async def test_a_chore_that_fails_keeps_no_other_from_being_done(held):
    waymark, _ = held
    did = []

    async def fails(waymark, now):
        raise RuntimeError

    async def works(waymark, now):
        did.append(now)
        return 3

    swept = await retention.run(waymark, [Chore("one", fails), Chore("two", works)])
    assert swept.removed == {"two": 3}
    assert len(did) == 1


async def test_it_is_owed_once_a_night(held):
    waymark, clock = held
    nights_ = nightly.Nightly(waymark)
    assert await nights_.owed()
    await retention.run(waymark)
    assert not await nights_.owed()
    clock.at = datetime(2026, 11, 24, 2, 29, tzinfo=UTC)
    assert not await nights_.owed()
    clock.at = datetime(2026, 11, 24, 2, 31, tzinfo=UTC)
    assert await nights_.owed()
    assert nightly.last_night(datetime(2026, 7, 1, 1, 29, tzinfo=UTC)).day == 30  # 2:29 in London
    assert nightly.last_night(datetime(2026, 7, 1, 1, 31, tzinfo=UTC)).day == 1


# --- The list of what was erased ------------------------------------------------------------


async def test_what_a_backup_brings_back_is_erased_again(held, tmp_path):
    """The whole database as it was before, put back as a restore would."""
    waymark, clock = held
    await closed(waymark)
    await sent(waymark, "stays")
    await waymark.database.tidy()
    backup = (tmp_path / "waymark.db").read_bytes()
    clock.forward(720 * DAY)
    await retention.run(waymark)
    clock.forward(20 * DAY)
    await retention.run(waymark)
    (gone,) = await rows(waymark, Receipt)
    await waymark.database.close()
    for path in tmp_path.glob("waymark.db*"):
        path.unlink()
    (tmp_path / "waymark.db").write_bytes(backup)

    again, _ = wired(tmp_path)
    assert await count(again, SubmissionRow) == 2
    assert await erased.reapply(again) == 1
    (row,) = await rows(again, SubmissionRow)
    assert digest(again, "submission", row.id) not in gone.objects
    (receipt,) = await rows(again, Receipt)
    assert receipt.why == "restored"
    assert await erased.reapply(again) == 0
    await again.database.close()


async def test_the_list_holds_digests_only_and_is_made_whole_again(held, tmp_path):
    waymark, clock = held
    submission = await closed(waymark)
    clock.forward(720 * DAY)
    await retention.run(waymark)
    clock.forward(20 * DAY)
    await retention.run(waymark)
    place = tmp_path / erased.NAME
    text = place.read_text()
    assert submission not in text
    assert digest(waymark, "submission", submission) in text
    place.write_text(text[: len(text) // 2])  # as a crash would cut it
    assert await erased.reconcile(waymark) == 1
    assert digest(waymark, "submission", submission) in place.read_text()
    assert await erased.reconcile(waymark) == 0
    assert len(erased._objects(place)) == 2
    assert place.stat().st_mode & 0o777 == 0o600


async def test_a_disk_that_takes_no_list_undoes_nothing(held, monkeypatch, caplog):
    waymark, clock = held
    await sent(waymark, until="urgency")
    clock.forward(31 * DAY)

    def full(*_):
        raise OSError("no room")

    monkeypatch.setattr(erased, "_append", full)
    await retention.run(waymark)
    assert await count(waymark, ConversationRow) == 0
    assert "erased list not written" in caplog.text
    monkeypatch.undo()
    assert await erased.reconcile(waymark) == 1


# --- That nothing is left out ---------------------------------------------------------------


def tables():
    return [mapper.class_ for mapper in Base.registry.mappers]


def test_every_table_has_a_period_and_somebody_who_sees_to_it():
    assert kept.unkept(tables(), [chore.name for chore in CHORES]) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (None, "doesn't say how long it is kept"),
        ("for ever", "there is no period for ever"),
        ("backup", "nobody removes what is kept for backup"),
        ("with submission", "is kept with submission, but doesn't say which"),
    ],
)
def test_a_planted_table_that_would_be_kept_for_ever_is_found(said, fault):
    class Apart(sa.orm.DeclarativeBase):
        pass

    class Planted(Apart):
        __tablename__ = "planted"
        id = sa.orm.mapped_column(sa.String, primary_key=True)

    if said:
        Planted.__kept__ = said
    (found,) = kept.unkept([Planted])
    assert found == f"planted: {fault}"


def test_a_table_kept_with_a_submission_goes_with_it():
    going = {table.__tablename__ for table in erasure.belonging("submission")}
    assert {"note", "reply", "hold"} <= going


def test_removing_goes_through_every_table_that_names_a_submission():
    """A new table that points at a submission must go with it, or be seen to by name."""
    points = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "submission"
    }
    going = {table.__tablename__ for table in erasure.belonging("submission")}
    assert points == going | {"alert", "attachment", "person_request"}


def test_the_sorts_are_periods_of_the_policy():
    fields = type(CONTENT.policy.retention).model_fields
    assert {sort.name for sort in kept.SORTS} <= set(fields)
