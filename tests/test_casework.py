"""Staff rules without a browser: who may do what, where things can go, what is due, the demo."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from bot.errors import EditClash, InvalidMove, NotAllowed, ReasonNeeded, UnknownSubmission
from bot.store import staff
from bot.store.models import (
    SEALED,
    Alert,
    Attempt,
    Audit,
    Outbox,
    Reply,
    SignInLink,
    Staff,
    StaffSession,
    SubmissionLink,
    SubmissionRow,
)
from content.schema import FIRST_TEAM, Role
from tests.alarms import done
from tests.drivers.waymark import CONTENT, wired
from tests.opened import rows
from web import demo, play
from web.casework import (
    accounts,
    alerts,
    history,
    letters,
    passwords,
    permissions,
    queue,
    record,
    review,
    sessions,
    stages,
)
from web.casework.accounts import WrongSignIn
from web.casework.due import reply_due
from web.casework.faults import NotSaid
from web.casework.password_rules import BadPassword
from web.casework.permissions import Action, Person
from web.casework.queue import Asked
from web.casework.review import Move, Seen
from web.casework.stages import MOVES, Status
from web.casework.throttle import SlowDown

STORY = demo.Story(
    "raise-a-concern", 1, {"danger": "not-now", "harm": "no", "role": "foster-carer"}
)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """The real algorithm at a price that tests can pay."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture(params=["sqlite", "postgres"])
async def waymark(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    waymark, _ = wired(tmp_path, url)
    await waymark.database.migrate()
    yield waymark
    await waymark.database.close()


@pytest.fixture
async def held(tmp_path):
    """With the clock in hand; on one database only."""
    waymark, clock = wired(tmp_path)
    await waymark.database.migrate()
    yield waymark, clock
    await waymark.database.close()


async def member(waymark, name="Ann", role=Role.EDUCATION_COORDINATOR):
    async with waymark.database.transaction() as db:
        id_ = await accounts.make(waymark, db, name, f"{name}@example.org", role)
    return Person(id_, name, role, FIRST_TEAM)


async def sent(waymark, name="one", story=STORY):
    id_ = await demo.Sender(waymark, name, story).talk()
    assert id_
    return id_


async def from_telegram(waymark, submission):
    """As if it had come from a chat."""
    async with waymark.database.transaction() as db:
        change = sa.update(SubmissionRow).where(SubmissionRow.id == submission)
        await db.execute(change.values(sender="telegram:77", channel="telegram"))


async def seen(waymark, submission):
    (row,) = await rows(waymark, SubmissionRow, SubmissionRow.id == submission)
    return Seen(submission, row.version)


# --- Permissions --------------------------------------------------------------------------


def test_every_action_has_a_rule_and_somebody():
    assert set(permissions.RULES) == set(Action)
    assert all(rule.roles for rule in permissions.RULES.values())


def test_a_refusal_is_a_sentence():
    mentor = Person("m", "Moss", Role.MENTOR)
    assert not permissions.can(mentor, Action.ASSIGN)
    with pytest.raises(NotAllowed, match="Your role can't hand over submissions"):
        permissions.check(mentor, Action.ASSIGN)


def test_permissions_know_no_web_and_no_sql():
    words = Path(permissions.__file__).read_text()
    assert not any(name in words for name in ("fastapi", "sqlalchemy", "bot.store", "settings"))


# --- Stages -------------------------------------------------------------------------------


def test_the_transition_table_covers_every_status():
    assert set(MOVES) == set(Status) == set(stages.LABELS)
    for status, onward in MOVES.items():
        assert onward, status
        assert status not in onward


def test_every_status_can_be_reached_and_is_in_one_tab_besides_open():
    reached = set().union(*MOVES.values()) | {Status.NEW}
    assert reached == set(Status)
    tabs = [of for name, (_, of) in stages.STAGES.items() if name != "open"]
    assert sorted(s for tab in tabs for s in tab) == sorted(Status)


def test_a_sender_is_told_every_status_in_words_of_their_own():
    assert {f"replies.status.{status}" for status in Status} <= set(CONTENT.wording["en"])


@pytest.mark.parametrize("now", list(Status))
def test_only_what_is_in_the_table_is_let_through(now):
    for to in Status:
        if to in MOVES[now]:
            stages.check_move(now, to)
        else:
            with pytest.raises(InvalidMove):
                stages.check_move(now, to)


# --- When a reply is due --------------------------------------------------------------------


def at(day, hour=17):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "now", "words", "state"),
    [
        (at(24), at(24, 9), "due today", "soon"),
        (at(25), at(24, 9), "due tomorrow", "soon"),
        (at(27), at(24, 9), "due Fri 27 Nov", "ahead"),
        (at(20), at(20, 18), "overdue", "late"),
        (at(20), at(22, 12), "overdue", "late"),
        (at(20), at(23, 9), "overdue by 1 working day", "late"),
        (at(20), at(24, 9), "overdue by 2 working days", "late"),
    ],
)
def test_a_due_day_is_said_in_working_days(due, now, words, state):
    told = reply_due(due, None, now, ())
    assert (told.words, told.state) == (words, state)


def test_a_closure_is_not_a_working_day_and_a_reply_ends_the_wait():
    closed = at(23).date()
    assert reply_due(at(20), None, at(24, 9), (closed,)).words == "overdue by 1 working day"
    assert reply_due(at(20), at(19), at(24, 9), ()).words == "replied 19 Nov"


def test_real_hashes_are_argon2id_and_dear(monkeypatch):
    monkeypatch.undo()
    made = passwords._hasher
    assert (made.type.name, made.memory_cost >= 19 * 1024, made.time_cost >= 2) == (
        "ID",
        True,
        True,
    )


# --- Accounts -------------------------------------------------------------------------------


async def test_a_way_in_works_once_and_a_newer_one_ends_it(waymark):
    first = await accounts.add(waymark, "Ann", "Ann@Example.org ", "mentor")
    second = await accounts.add(waymark, "Ann", "ann@example.org", "mentor")
    assert len(await rows(waymark, Staff)) == 1
    old, new = (link.rsplit("/", 1)[1] for link in (first, second))
    assert await accounts.use_way_in(waymark, old) is None
    assert await accounts.use_way_in(waymark, new) is not None
    assert await accounts.use_way_in(waymark, new) is None


async def test_a_way_in_lasts_a_day(held):
    waymark, clock = held
    token = (await accounts.add(waymark, "Ann", "ann@example.org", "mentor")).rsplit("/", 1)[1]
    clock.forward(timedelta(hours=25))
    assert await accounts.use_way_in(waymark, token) is None


async def test_nothing_secret_is_kept_as_it_is(waymark):
    link = await accounts.add(waymark, "Ann", "ann@example.org", "mentor")
    token = link.rsplit("/", 1)[1]
    (kept,) = await rows(waymark, SignInLink)
    assert token not in kept.key
    signed = await accounts.use_way_in(waymark, token)
    (session,) = await rows(waymark, StaffSession)
    assert signed.session != session.key


@pytest.mark.parametrize(
    ("name", "email", "role", "said"),
    [("Ann", "ann", "mentor", "email address"), ("Ann", "a@b.org", "boss", "headteacher")],
)
async def test_what_cannot_be_a_person_is_refused_in_a_sentence(held, name, email, role, said):
    waymark, _ = held
    with pytest.raises(ValueError, match=said):
        await accounts.add(waymark, name, email, role)


async def with_password(waymark, password="correct horse battery"):
    ann = await member(waymark)
    await accounts.set_password(waymark, ann, "", password)
    return ann


async def test_signing_in_and_the_same_answer_for_any_wrong_pair(waymark):
    await with_password(waymark)
    assert await accounts.sign_in(waymark, " ANN@example.org", "correct horse battery", None)
    for email, password in (
        ("ann@example.org", "wrong"),
        ("nobody@example.org", "correct horse battery"),
    ):
        with pytest.raises(WrongSignIn):
            await accounts.sign_in(waymark, email, password, None)


async def test_the_same_work_for_somebody_and_nobody(monkeypatch):
    done = []
    real = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, *a: done.append(a[0]) or real(self, *a)
    )
    stored = await passwords.hashed("one password")
    assert await passwords.matches(stored, "one password")
    assert not await passwords.matches(stored, "another")
    assert not await passwords.matches(None, "the password of nobody at all")
    assert len(done) == 3
    assert all(hash_.startswith("$argon2id$") for hash_ in done)


async def test_no_more_than_two_hashes_at_once(monkeypatch):
    import threading
    import time

    at_work, most = [], []

    def slow(password):
        at_work.append(threading.get_ident())
        most.append(len(at_work))
        time.sleep(0.05)
        at_work.pop()
        return "hash"

    monkeypatch.setattr(passwords, "_hasher", type("Hasher", (), {"hash": staticmethod(slow)}))
    await asyncio.gather(*(passwords.hashed("x") for _ in range(6)))
    assert max(most) == 2


async def test_after_five_wrong_tries_there_is_a_pause_and_then_not(held):
    waymark, clock = held
    await with_password(waymark)
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            await accounts.sign_in(waymark, "ann@example.org", "wrong", None)
    with pytest.raises(SlowDown) as slow:
        await accounts.sign_in(waymark, "ann@example.org", "correct horse battery", None)
    assert timedelta(minutes=14) < slow.value.until - clock.at <= timedelta(minutes=15)
    clock.forward(timedelta(minutes=10))
    with pytest.raises(SlowDown):  # and trying meanwhile does not make it longer
        await accounts.sign_in(waymark, "ann@example.org", "correct horse battery", None)
    clock.forward(timedelta(minutes=6))
    assert await accounts.sign_in(waymark, "ann@example.org", "correct horse battery", None)


async def test_nobody_can_keep_somebody_out_of_the_browser_they_use(held):
    waymark, _ = held
    await with_password(waymark)
    hers = (await accounts.sign_in(waymark, "ann@example.org", "correct horse battery", None)).known
    for _ in range(7):
        with pytest.raises((WrongSignIn, SlowDown)):
            await accounts.sign_in(waymark, "ann@example.org", "guess", None)
    assert await accounts.sign_in(waymark, "ann@example.org", "correct horse battery", hers)
    with pytest.raises(SlowDown):  # somebody else's browser is no key to this account
        await accounts.sign_in(waymark, "ann@example.org", "guess", "0" * 64)


async def test_many_accounts_tried_at_once_slow_all_new_browsers(held, monkeypatch):
    monkeypatch.setattr(accounts, "TRIES_IN_ALL", 4)
    waymark, _ = held
    for number in range(4):
        with pytest.raises(WrongSignIn):
            await accounts.sign_in(waymark, f"{number}@example.org", "guess", None)
    with pytest.raises(SlowDown):
        await accounts.sign_in(waymark, "another@example.org", "guess", None)


async def test_tries_hold_no_address(waymark):
    with pytest.raises(WrongSignIn):
        await accounts.sign_in(waymark, "ann@example.org", "wrong", None)
    assert all("ann" not in attempt.what for attempt in await rows(waymark, Attempt))


async def test_a_new_password_needs_the_old_one_and_eight_characters(waymark):
    ann = await with_password(waymark)
    for current, new in (
        ("wrong", "long enough"),
        ("correct horse battery", "short"),
        ("correct horse battery", "ANN@example.org"),
    ):
        with pytest.raises(BadPassword):
            await accounts.set_password(waymark, ann, current, new)
    key = await accounts.set_password(waymark, ann, "correct horse battery", "a new one altogether")
    assert len(await rows(waymark, StaffSession)) == 1
    assert await sessions.find(waymark, key)


async def test_a_session_ends_by_itself(held):
    waymark, clock = held
    ann = await member(waymark)
    async with waymark.database.transaction() as db:
        await staff.change(db, ann.id, password_hash="any", totp=SEALED)
        idle, long = [
            await sessions.begin(waymark, db, ann.id, "test", proved_at=clock.at) for _ in range(2)
        ]
    clock.forward(timedelta(minutes=29))
    await sessions.touch(waymark, await sessions.find(waymark, long))
    clock.forward(timedelta(minutes=2))
    assert await sessions.find(waymark, idle) is None
    for _ in range(19):
        await sessions.touch(waymark, await sessions.find(waymark, long))
        clock.forward(timedelta(minutes=29))
    clock.forward(timedelta(minutes=20))
    assert await sessions.find(waymark, long) is None
    assert await rows(waymark, StaffSession) == []


# --- Casework -------------------------------------------------------------------------------


async def test_take_and_assign_move_what_nobody_had_looked_at(waymark):
    ann, bob = await member(waymark), await member(waymark, "Bob", Role.MENTOR)
    one = await sent(waymark)
    await review.take(waymark, ann, Seen(one, 1))
    await review.assign(waymark, ann, Seen(one, 2), bob.id)
    (row,) = await rows(waymark, SubmissionRow)
    assert (row.owner, row.status, row.version) == (bob.id, "assigned", 3)
    with pytest.raises(NotAllowed):
        await review.assign(waymark, bob, Seen(one, 3), ann.id)
    with pytest.raises(NotSaid):
        await review.assign(waymark, ann, Seen(one, 3), "nobody at all")
    await review.assign(waymark, ann, Seen(one, 3), "nobody")
    (row,) = await rows(waymark, SubmissionRow)
    assert row.owner is None


async def test_whoever_is_switched_off_is_given_nothing(waymark):
    ann, gone = await member(waymark), await member(waymark, "Gone")
    one = await sent(waymark)
    async with waymark.database.transaction() as db:
        await db.execute(sa.update(Staff).where(Staff.id == gone.id).values(active=False))
    with pytest.raises(NotSaid):
        await review.assign(waymark, ann, Seen(one, 1), gone.id)
    shown = await record.open_(waymark, ann, one)
    assert [person.id for person in shown.people] == [ann.id]


async def test_the_second_of_two_is_told(waymark):
    ann, bob = await member(waymark), await member(waymark, "Bob")
    one = await sent(waymark)
    await review.take(waymark, ann, Seen(one, 1))
    with pytest.raises(EditClash):
        await review.take(waymark, bob, Seen(one, 1))
    with pytest.raises(EditClash):
        await review.move(waymark, bob, Seen(one, 1), Move("in-progress"))
    (row,) = await rows(waymark, SubmissionRow)
    assert row.owner == ann.id


async def test_closing_says_what_came_of_it_and_why(waymark):
    ann, one = await member(waymark), await sent(waymark)
    for wanted, field in (
        (Move("nonsense"), "to"),
        (Move("closed-done"), "outcome"),
        (Move("closed-done", "advice", "  "), "reason"),
    ):
        with pytest.raises(NotSaid) as missing:
            await review.move(waymark, ann, Seen(one, 1), wanted)
        assert missing.value.field == field
    with pytest.raises(InvalidMove):
        await review.move(waymark, ann, Seen(one, 1), Move("on-hold"))
    await review.move(waymark, ann, Seen(one, 1), Move("closed-done", "advice", "Canary reason"))
    shown = await record.open_(waymark, ann, one)
    assert shown.status is Status.DONE
    assert shown.notes[0].text == "Closed: done. Advice given.\nCanary reason"
    assert shown.moves == (Status.TRIAGE,)


async def test_a_note_and_a_reply_sent_twice_are_kept_once(waymark):
    ann, one = await member(waymark), await sent(waymark)
    await from_telegram(waymark, one)
    for _ in range(2):
        await review.write_note(waymark, ann, one, "A note", "form-1")
        await review.reply(waymark, ann, one, "A reply", "form-1", 0)
    await review.write_note(waymark, ann, one, "A note", "form-2")
    shown = await record.open_(waymark, ann, one)
    assert (len(shown.notes), len(shown.replies)) == (2, 1)
    letters = [r for r in await rows(waymark, Outbox) if r.key.startswith("reply:")]
    assert len(letters) == 1


async def test_a_reply_to_a_chat_goes_to_the_outbox_in_the_words_of_content(waymark):
    ann, one = await member(waymark), await sent(waymark)
    await from_telegram(waymark, one)
    await review.reply(waymark, ann, one, "We will {ring} you.\r\nSoon.", "x", 0)
    (row,) = await rows(waymark, SubmissionRow)
    (reply,) = await rows(waymark, Reply)
    (letter,) = await rows(waymark, Outbox)
    assert (letter.key, letter.sender, letter.state) == (
        f"reply:{reply.id}",
        "telegram:77",
        "queued",
    )
    assert letter.payload["kind"] == "reply"
    assert "We will {ring} you.\nSoon." in letter.payload["text"]
    assert row.reference in letter.payload["text"]
    assert row.replied_at is not None
    assert row.status == "triage"


async def test_a_reply_to_a_browser_waits_there_to_be_read(waymark):
    ann, one = await member(waymark), await sent(waymark)
    await review.reply(waymark, ann, one, "Hello", "x", 0)
    assert await rows(waymark, Outbox) == []
    shown = await record.open_(waymark, ann, one)
    assert shown.replies[0].words == "Waiting to be read"


async def test_two_replies_at_once_are_noticed(waymark):
    ann, bob, one = await member(waymark), await member(waymark, "Bob"), await sent(waymark)
    await review.reply(waymark, ann, one, "Ann's answer", "a", 0)
    with pytest.raises(EditClash):
        await review.reply(waymark, bob, one, "Bob's answer", "b", 0)
    await review.reply(waymark, bob, one, "Bob's answer", "b", 1)
    assert len(await rows(waymark, Reply)) == 2


@pytest.mark.parametrize("text", ["", " \n ", "x" * 3001])
async def test_a_reply_that_cannot_be_sent_is_refused_in_a_sentence(waymark, text):
    ann, one = await member(waymark), await sent(waymark)
    with pytest.raises(NotSaid):
        await letters.preview(waymark, ann, one, text)
    with pytest.raises(NotSaid):
        await review.reply(waymark, ann, one, text, "x", 0)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "Waiting to go out"),
        ("sent", "Sent to their Telegram chat"),
        ("unknown", "Telegram did not say whether it arrived"),
        ("failed", "Did not arrive"),
        ("blocked", "Did not arrive: they have blocked the bot"),
    ],
)
async def test_how_far_a_reply_got_is_told(waymark, state, words):
    ann, one = await member(waymark), await sent(waymark)
    await from_telegram(waymark, one)
    await review.reply(waymark, ann, one, "Hello", "x", 0)
    async with waymark.database.transaction() as db:
        await db.execute(sa.update(Outbox).values(state=state))
    assert (await record.open_(waymark, ann, one)).replies[0].words == words
    lost = (await queue.queue(waymark, ann, Asked())).undelivered
    assert [row.submission for row in lost] == ([one] if state in ("failed", "blocked") else [])


async def test_opening_is_written_down_and_audit_holds_no_words(waymark):
    ann = await member(waymark, "Annabelcanary")
    told = demo.Story(**{**STORY.__dict__, "answers": {**STORY.answers, "story": "Canary words"}})
    one = await sent(waymark, story=told)
    await record.open_(waymark, ann, one)
    await review.write_note(waymark, ann, one, "Canary note", "n")
    await review.reply(waymark, ann, one, "Canary reply", "r", 0)
    await review.move(
        waymark, ann, await seen(waymark, one), Move("closed-done", "advice", "Canary reason")
    )
    lines = await rows(waymark, Audit, Audit.object_id == one)
    did = [line.action for line in lines if line.actor == ann.id]
    assert did == ["submission.opened", "note.written", "reply.written", "submission.closed"]
    everything = repr(await rows(waymark, Audit)).casefold()
    assert "canary" not in everything
    (row,) = await rows(waymark, SubmissionRow)
    assert row.unread is False
    told_again = [event.words for event in history.told(lines, {ann.id: "Ann"}, {})]
    assert told_again[0] == "closed it: “Closed: done”. Outcome: Advice given"


async def test_what_is_not_there_is_unknown(waymark):
    ann = await member(waymark)
    with pytest.raises(UnknownSubmission):
        await record.open_(waymark, ann, "nothing")
    with pytest.raises(UnknownSubmission):
        await review.take(waymark, ann, Seen("nothing", 1))
    with pytest.raises(UnknownSubmission):
        await alerts.open_(waymark, ann, "nothing")


# --- Alerts ---------------------------------------------------------------------------------

UNSAFE = demo.Story(
    "my-views-years-7-to-9", 1, {"good": "Canary music", "unsafe": "yes"}, until="with-you"
)


async def test_an_alert_shows_what_was_said_before_it_is_sent(waymark):
    ann = await member(waymark)
    assert await demo.Sender(waymark, "child", UNSAFE).talk() is None
    (found,) = (await queue.queue(waymark, ann, Asked())).alerts
    assert (found.urgent, found.submission) == (True, None)
    shown = await alerts.open_(waymark, ann, found.id)
    said = {a.question: a.said for section in shown.draft.sections for a in section.answers}
    assert said["good"] == "Canary music"
    assert shown.answer == "Yes"
    assert "alert.opened" in {line.action for line in await rows(waymark, Audit)}


async def test_an_alert_is_settled_once_with_words(waymark):
    ann, bob = await member(waymark), await member(waymark, "Bob")
    await demo.Sender(waymark, "child", UNSAFE).talk()
    (row,) = await rows(waymark, Alert)
    with pytest.raises(NotSaid):
        await alerts.settle(waymark, ann, row.id, done(" "))
    await alerts.settle(waymark, ann, row.id, done("Rang the duty team"))
    with pytest.raises(EditClash):
        await alerts.settle(waymark, bob, row.id, done("Me too"))
    assert (await queue.queue(waymark, ann, Asked())).alerts == []
    (row,) = await rows(waymark, Alert)
    assert (row.seen_by, row.action) == (ann.id, "Rang the duty team")
    moss = await member(waymark, "Moss", Role.MENTOR)
    with pytest.raises(NotAllowed):
        await alerts.settle(waymark, moss, row.id, done("x"))


# --- Demonstration and rehearsal ------------------------------------------------------------


async def test_the_demo_is_filled_once_and_each_start_makes_a_new_way_in(held, capsys):
    waymark, _ = held
    waymark = type(waymark)(
        **{**waymark.__dict__, "settings": waymark.settings.model_copy(update={"demo": True})}
    )
    await demo.prepare(waymark)
    first = capsys.readouterr().out
    before = {t: len(await rows(waymark, t)) for t in (SubmissionRow, Staff, Alert, Reply)}
    await demo.prepare(waymark)
    second = capsys.readouterr().out
    after = {t: len(await rows(waymark, t)) for t in (SubmissionRow, Staff, Alert, Reply)}
    assert before == after
    assert before[Staff] == len(Role)
    ways = [text.split("/staff/sign-in/")[1].split()[0] for text in (first, second)]
    assert ways[0] != ways[1]
    assert await accounts.use_way_in(waymark, ways[0]) is None
    assert await accounts.use_way_in(waymark, ways[1]) is not None
    await _shared_and_restricted(waymark)


async def _shared_and_restricted(waymark):
    """Two teams, something shared with a mentor, and something that only some may know of."""
    people = {
        row.email.split("@")[0]: Person(row.id, row.name, Role(row.role), row.team)
        for row in await rows(waymark, Staff)
    }
    assert len({person.team for person in people.values()}) == 2
    (link,) = await rows(waymark, SubmissionLink)
    (restricted,) = await rows(waymark, SubmissionRow, SubmissionRow.restricted)
    assert link.staff == people["mentor"].id
    await record.open_(waymark, people["mentor"], link.submission)
    await record.open_(waymark, people["headteacher"], restricted.id)
    with pytest.raises(UnknownSubmission):
        await record.open_(waymark, people["transitions"], restricted.id)
    with pytest.raises(ReasonNeeded):
        await record.open_(waymark, people["co-ordinator"], link.submission)


async def test_every_invented_story_still_fits_the_flows(held):
    """An answer the flow no longer takes would be replaced by a plain one; this notices."""
    waymark, _ = held
    kept = {}
    for number, story in enumerate(demo.stories()):
        submission = await demo.Sender(waymark, str(number), story).talk()
        assert (submission is None) == (story.until is not None), story
        if submission:
            (row,) = await rows(waymark, SubmissionRow, SubmissionRow.id == submission)
            kept[number] = row
            told = {line["question"]: line for line in row.payload["answers"]}
            for question, given in story.answers.items():
                assert told[question]["skip"] is None, (story.flow, question)
                if isinstance(given, str) and told[question]["type"] == "choice":
                    assert told[question]["values"] == [given]
    assert {row.priority for row in kept.values()} == {"urgent", "high", "standard", "low"}
    assert "Invented" in repr([row.payload for row in kept.values()])
    assert len(await rows(waymark, Alert)) >= 2


async def test_without_the_demo_only_the_addresses_are_said(held, capsys):
    waymark, _ = held
    await demo.prepare(waymark)
    said = capsys.readouterr().out
    assert "/staff/sign-in\n" in said
    assert "/staff/sign-in/" not in said
    assert await rows(waymark, Staff) == []


def test_a_flow_can_be_played_in_the_terminal(tmp_path, monkeypatch, capsys):
    waymark, _ = wired(tmp_path)
    lines = iter(["3", "back", "3", "what?", "check", "stop"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    play.hold(waymark, "raise-a-concern", "en")
    said = capsys.readouterr().out
    assert "Question 2 of" in said
    assert "nothing was kept" in said
    assert not (tmp_path / "waymark.db").exists()
    with pytest.raises(ValueError, match="raise-a-concern"):
        play.hold(waymark, "nonsense", "en")
