"""Whom we call when someone may be unsafe, and that it gets there: with a real mail server."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from bot import logs, retention
from bot.calling import mail, rounds
from bot.calling.channels import Channel
from bot.calling.letter import Letter, Outcome
from bot.errors import EditClash
from bot.settings import Settings
from bot.store import calls, conversations
from bot.store.models import Alert, Audit, Call
from bot.store.models import Staff as Account
from bot.working_days import Office
from content.schema import Called, Role, Rota
from tests.alarms import done, mail_server
from tests.browser import accessibility_faults
from tests.drivers.staff import SITE, Staff
from tests.drivers.waymark import CONTENT, running, served, wired
from tests.opened import rows
from web import demo
from web.casework import accounts, alerts, called, queue, review, stages
from web.casework.faults import NotSaid
from web.casework.permissions import Person
from web.casework.queue import Asked
from web.casework.review import Move, Seen

LONDON = ZoneInfo("Europe/London")
CANARY = "Canarymusic"
UNSAFE = demo.Story("my-views-years-7-to-9", 1, {"good": CANARY, "unsafe": "yes"}, until="with-you")
FIRST, SECOND = "hetty@council.example", "eddie@council.example"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(clock, said: str) -> None:
    clock.at = datetime.fromisoformat(said).replace(tzinfo=LONDON)


@pytest.fixture
def box():
    with mail_server() as box:
        yield box


@pytest.fixture(params=["sqlite", "postgres"])
async def both(request, tmp_path, box):
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    async with _house(tmp_path, box, url) as house:
        yield house


@pytest.fixture
async def house(tmp_path, box):
    async with _house(tmp_path, box) as house:
        yield house


class _house:
    """A headteacher and a co-ordinator, a mail server, and a Monday at ten."""

    def __init__(self, folder, box, url=None, **settings):
        self.waymark, self.clock = wired(folder, url, **{**box.settings, **settings})
        self.box = box

    async def __aenter__(self):
        await self.waymark.database.migrate()
        self.hetty = await member(self.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        self.eddie = await member(self.waymark, "Eddie", SECOND, Role.EDUCATION_COORDINATOR)
        await member(self.waymark, "Moss", "moss@council.example", Role.MENTOR)
        at(self.clock, "2026-11-23 10:00")  # a Monday
        return self

    async def __aexit__(self, *_):
        await self.waymark.database.close()

    async def raised(self, urgency="urgent", conversation="talk"):
        async with self.waymark.database.transaction() as db:
            what = (conversation, "unsafe", urgency, "feels-unsafe", self.clock())
            return await conversations.raise_alert(db, *what)

    async def round(self):
        """What the service does every two seconds."""
        await rounds.look(self.waymark)
        await rounds.carry(self.waymark)

    async def until(self, said: str) -> list[str]:
        """Minute after minute to then: who got a letter, and when."""
        stop = datetime.fromisoformat(said).replace(tzinfo=LONDON)
        told = []
        while self.clock.at < stop:
            before = len(self.box.addresses)
            await self.round()
            when = f"{self.clock.at.astimezone(LONDON):%a %H:%M}"
            told += [f"{when} {who.split('@')[0]}" for who in self.box.addresses[before:]]
            self.clock.forward(MINUTE)
        return told

    async def calls(self):
        return await rows(self.waymark, Call)


async def member(waymark, name, email, role):
    async with waymark.database.transaction() as db:
        id_ = await accounts.make(waymark, db, name, email, role)
    return Person(id_, name, role, "virtual-school")


def with_rota(waymark, **changed):
    """The same authority with other lists."""
    id_ = waymark.settings.authority
    rota = Rota(**changed)
    pack = waymark.content.authorities[id_].model_copy(update={"alerts": rota})
    authorities = {**waymark.content.authorities, id_: pack}
    content = waymark.content.__class__(**{**vars(waymark.content), "authorities": authorities})
    object.__setattr__(waymark, "content", content)


# --- A letter, and nothing in it ------------------------------------------------------------


async def test_a_letter_goes_out_at_once_with_a_link_and_nothing_else(both):
    assert await demo.Sender(both.waymark, "child", UNSAFE).talk() is None
    await both.round()
    (letter,) = both.box.letters
    (alert,) = await rows(both.waymark, Alert)
    assert letter["To"] == FIRST
    assert letter["Subject"] == "Something needs to be looked at now"
    address = f"{both.waymark.settings.address}/staff/alerts/{alert.id}"
    assert letter.get_content().count("http") == 1
    assert address in letter.get_content().splitlines()
    said = letter.as_string().lower()
    flow = CONTENT.flows["my-views-years-7-to-9"]
    for word in (CANARY, flow.id, flow.title, alert.category, alert.question, "unsafe", "child"):
        assert word.lower() not in said, word
    assert set(letter.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Importance",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    (call,) = await both.calls()
    assert (call.state, call.whom, call.fault) == ("sent", f"staff:{both.hetty.id}", None)
    await both.round()
    assert len(both.box.letters) == 1


async def test_no_letter_log_line_address_or_title_holds_a_word_of_theirs(
    tmp_path, box, caplog, monkeypatch
):
    monkeypatch.setattr(rounds, "LOOK_AGAIN", 0.1)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(1000)  # the server's, which is not ours
    box.to[FIRST] = "550 no such person"
    async with running(tmp_path, log_level="debug", **box.settings) as site:
        head = await member(site.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        await member(site.waymark, "Eddie", SECOND, Role.EDUCATION_COORDINATOR)
        await demo.Sender(site.waymark, "child", UNSAFE).talk()
        for _ in range(80):  # the service's own rounds, nobody helping
            if box.letters:
                break
            await asyncio.sleep(0.1)
        browser = await signed_in(site, head)
        (alert,) = await rows(site.waymark, Alert)
        await browser.go(f"/staff/alerts/{alert.id}")
        assert CANARY in browser.text, "there is something that could slip out"
        assert CANARY not in browser.page.title.text + str(browser.response.url)
    assert SECOND in box.addresses
    assert CANARY.encode() not in b"".join(box.raw)
    assert "not called" in caplog.text
    for word in (CANARY, FIRST, SECOND, "feels-unsafe", "my-views"):
        assert word not in caplog.text, word


async def test_a_concern_and_what_is_urgent_read_differently(house):
    await house.raised("concern")
    await house.round()
    (letter,) = house.box.letters
    assert letter["Subject"] == "Something needs to be looked at today"
    assert letter["Importance"] is None


# --- Trouble on the way ---------------------------------------------------------------------


async def test_a_server_that_is_down_loses_nothing(both):
    port, both.waymark.settings.__dict__["smtp_port"] = both.box.port, free_port()
    await both.raised()
    await both.round()
    (call,) = await both.calls()
    assert (call.state, call.fault) == ("queued", "down")
    assert both.box.letters == []
    await both.round()
    assert (await both.calls())[0].tries == 1, "it is not tried again at once"
    both.waymark.settings.__dict__["smtp_port"] = port
    both.clock.forward(MINUTE)
    await both.round()
    assert both.box.addresses == [FIRST]


async def test_however_long_it_is_down_each_person_gets_one_letter_then(house):
    port, house.waymark.settings.__dict__["smtp_port"] = house.box.port, free_port()
    await house.raised()
    assert await house.until("2026-11-23 16:30") == []
    house.waymark.settings.__dict__["smtp_port"] = port
    house.clock.forward(6 * MINUTE)
    await rounds.carry(house.waymark)
    assert sorted(house.box.addresses) == [SECOND, FIRST]


async def test_a_server_that_is_too_slow_is_tried_again(both, monkeypatch):
    monkeypatch.setattr(mail, "PATIENCE", 0.3)
    both.box.slow = 3
    await both.raised()
    await both.round()
    (call,) = await both.calls()
    assert (call.state, call.fault) == ("queued", "slow")
    both.box.slow = 0
    both.clock.forward(MINUTE)
    await both.round()
    assert FIRST in both.box.addresses


async def test_try_later_is_tried_later(both):
    both.box.says = "451 greylisted"
    await both.raised()
    await both.round()
    assert [(c.state, c.fault) for c in await both.calls()] == [("queued", "busy")]
    both.box.says = "250 OK"
    both.clock.forward(MINUTE)
    await both.round()
    assert both.box.addresses == [FIRST]
    assert [c.state for c in await both.calls()] == ["sent"]


@pytest.mark.parametrize("where", ["to", "says"])
async def test_a_refusal_for_good_calls_the_next_person_at_once(both, where):
    if where == "to":
        both.box.to[FIRST] = "550 no such person"
    else:
        both.box.says = "554 not that letter"
    await both.raised()
    await both.round()
    both.box.says = "250 OK"
    await both.round()
    assert both.box.addresses == [SECOND]
    first = next(c for c in await both.calls() if c.place == 0)
    assert (first.state, first.fault) == ("failed", "refused")
    shown = await alerts.open_(both.waymark, both.eddie, first.alert)
    assert ("Hetty", False) in {(line.who, line.went) for line in shown.standing.lines}


async def test_dying_between_sending_and_settling_sends_it_again_and_as_the_same(both):
    await both.raised()
    settle = rounds._settle

    async def dies(*_):
        raise KeyError("the power went")

    rounds._settle = dies
    try:
        await both.round()
    finally:
        rounds._settle = settle
    assert [c.state for c in await both.calls()] == ["queued"]
    await both.round()
    assert len(both.box.letters) == 1, "it is left alone for a while"
    both.clock.forward(calls.LEASE + MINUTE)
    await both.round()
    first, second = both.box.letters
    assert first["Message-ID"] == second["Message-ID"], "a mail program shows it once"
    assert [c.state for c in await both.calls()] == ["sent"]


async def test_two_processes_make_and_carry_each_call_once(both):
    for number in range(4):
        await both.raised(conversation=f"talk-{number}")
    await asyncio.gather(*(both.round() for _ in range(4)))
    assert both.box.addresses == [FIRST] * 4
    assert len({letter["Message-ID"] for letter in both.box.letters}) == 4


async def test_a_password_is_never_given_away_in_the_clear(house):
    """The server offers no TLS: nothing is handed over, and it is said why."""
    house.waymark.settings.__dict__["smtp_security"] = "starttls"
    await house.raised()
    await house.round()
    assert house.box.letters == []
    (call,) = await house.calls()
    assert (call.state, call.fault) == ("queued", "down")


async def test_somebody_switched_off_meanwhile_gets_nothing(house):
    await house.raised()
    await rounds.look(house.waymark)
    async with house.waymark.database.transaction() as db:
        await db.execute(sa.update(Account).where(Account.email == FIRST).values(active=False))
    await rounds.carry(house.waymark)
    await house.round()
    assert house.box.addresses == [SECOND]


@pytest.mark.parametrize("nasty", ["a@b.example\r\nBcc: x@y.example", "ünï@council.example"])
async def test_an_odd_address_harms_nobody_elses_letter(house, nasty):
    async with house.waymark.database.transaction() as db:
        await db.execute(sa.update(Account).where(Account.email == FIRST).values(email=nasty))
    await house.raised()
    await house.round()
    await house.round()
    assert house.box.addresses[-1:] in ([SECOND], [nasty])
    assert "x@y.example" not in house.box.addresses


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# --- Who is next, and when ------------------------------------------------------------------


async def test_the_next_is_called_until_somebody_looks(both):
    id_ = await both.raised()
    told = await both.until("2026-11-23 11:45")
    assert told == [
        "Mon 10:00 hetty", "Mon 10:20 eddie", "Mon 11:20 hetty", "Mon 11:40 eddie",
    ]  # fmt: skip
    await alerts.look(both.waymark, both.eddie, id_)
    assert await both.until("2026-11-23 13:00") == []


async def test_a_concern_waits_longer_and_over_a_weekend_and_a_bank_holiday(house):
    at(house.clock, "2026-04-02 16:00")  # the Thursday before Easter
    id_ = await house.raised("concern")
    told = await house.until("2026-04-02 18:00")
    assert told == ["Thu 16:00 hetty"]
    shown = await alerts.open_(house.waymark, house.hetty, id_)
    assert shown.standing.by == datetime(2026, 4, 2, 17, tzinfo=LONDON)
    at(house.clock, "2026-04-07 08:55")  # Tuesday; Good Friday, Saturday, Sunday, Easter Monday
    assert await house.until("2026-04-07 09:40") == ["Tue 09:30 eddie"]


async def test_urgent_out_of_hours_waits_for_the_office_where_there_is_no_other_list(house):
    at(house.clock, "2026-12-24 17:05")  # Christmas Eve; then Christmas, Boxing Day, its day off
    id_ = await house.raised()
    for moment in ("2026-12-24 20:00", "2026-12-25 10:00", "2026-12-27 11:00", "2026-12-28 11:00"):
        at(house.clock, moment)
        await house.round()
    assert house.box.letters == []
    shown = await alerts.open_(house.waymark, house.hetty, id_)
    opens = datetime(2026, 12, 29, 9, tzinfo=LONDON)
    assert (shown.standing.shut, shown.standing.next_at) == (True, opens)
    assert shown.standing.by == opens + HOUR
    at(house.clock, "2026-12-29 08:58")
    assert await house.until("2026-12-29 09:03") == ["Tue 09:00 hetty"]


async def test_urgent_out_of_hours_calls_the_list_for_those_hours(both):
    night = (Called(address="edt@council.example", minutes=10), Called(role=Role.HEADTEACHER))
    with_rota(both.waymark, out_of_hours=night)
    at(both.clock, "2026-11-21 23:00")  # a Saturday night
    await both.raised()
    await both.raised("concern", "another")
    assert await both.until("2026-11-21 23:25") == ["Sat 23:00 edt", "Sat 23:10 hetty"]
    at(both.clock, "2026-11-23 09:00")
    assert (await both.until("2026-11-23 09:01")).count("Mon 09:00 hetty") == 2


async def test_a_bank_holiday_and_a_closure_are_no_working_time():
    closed = (date(2026, 4, 7),)
    office = Office(time(9), time(17), closed)

    def when(said):
        return datetime.fromisoformat(said).replace(tzinfo=LONDON)

    assert office.later(when("2026-04-02 16:30"), 60) == when("2026-04-08 09:30")
    assert office.later(when("2026-04-02 07:00"), 60) == when("2026-04-02 10:00")
    assert office.later(when("2026-10-23 16:30"), 60) == when("2026-10-26 09:30")  # clocks go back
    assert office.later(when("2026-11-23 10:00"), 8 * 60 + 1) == when("2026-11-24 10:01")
    assert office.end_of_day(when("2026-04-04 12:00")) == when("2026-04-08 17:00")
    assert not office.is_open(when("2026-04-02 17:00"))


async def test_whoever_cannot_be_reached_is_passed_over(house):
    rota = (Called(role=Role.TRANSITION_COORDINATOR), Called(address="duty@council.example"))
    with_rota(house.waymark, duty=rota)
    await house.raised()
    await house.round()
    assert house.box.addresses == ["duty@council.example"]


async def test_with_nobody_on_the_list_the_page_says_so(house):
    with_rota(house.waymark, duty=(Called(role=Role.TRANSITION_COORDINATOR),))
    await house.raised()
    await house.round()
    assert house.box.letters == []
    assert (await called.state(house.waymark, house.hetty)).nobody


def test_a_mentor_cannot_be_put_on_a_list():
    with pytest.raises(ValidationError, match="mentors can't open every alert"):
        Called(role=Role.MENTOR)
    with pytest.raises(ValidationError, match="one of them"):
        Called(role=Role.HEADTEACHER, address="a@b.example")


# --- Looking --------------------------------------------------------------------------------


async def test_of_two_who_look_at_once_one_does_and_the_other_sees_who(both):
    id_ = await both.raised()
    people = (both.hetty, both.eddie)
    came = await asyncio.gather(
        *(alerts.look(both.waymark, one, id_) for one in people), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in came) == ["EditClash", "NoneType"]
    (alert,) = await rows(both.waymark, Alert)
    looks = people[came.index(None)]
    assert alert.taken_by == looks.id
    shown = await alerts.open_(both.waymark, both.hetty, id_)
    assert shown.standing.looks == looks.name
    lines = [line.actor for line in await rows(both.waymark, Audit) if line.action == "alert.taken"]
    assert lines == [looks.id]


async def test_looking_drops_the_calls_that_wait_but_does_not_settle(both):
    both.box.says = "451 later"
    id_ = await both.raised()
    await both.round()
    await alerts.look(both.waymark, both.eddie, id_)
    both.box.says = "250 OK"
    both.clock.forward(HOUR)
    await both.round()
    assert both.box.letters == []
    assert [c.state for c in await both.calls()] == ["dropped"]
    (found,) = (await queue.queue(both.waymark, both.eddie, Asked())).alerts
    assert (found.standing.looks, found.standing.second) == ("Eddie", False)
    await alerts.look(both.waymark, both.hetty, id_, both.eddie.id)  # relieves him
    (found,) = (await queue.queue(both.waymark, both.eddie, Asked())).alerts
    assert found.standing.looks == "Hetty"


async def test_later_than_promised_is_said(house):
    id_ = await house.raised()
    house.clock.forward(61 * MINUTE)
    assert (await alerts.open_(house.waymark, house.hetty, id_)).standing.late
    await alerts.look(house.waymark, house.hetty, id_)
    assert (await alerts.open_(house.waymark, house.hetty, id_)).standing.late, "it stays so"


# --- Settling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (done("Rang them", "everybody"), "told"),
        (done("Rang them", "police", "nobody"), "told"),
        (alerts.Done((), "2026-01-05T10:00", "Rang them"), "told"),
        (done("Rang them", when=""), "when"),
        (done("Rang them", when="soon"), "when"),
        (done("Rang them", when="2026-11-23T10:30"), "when"),
        (done("  "), "action"),
        (done("", "nobody"), "action"),
    ],
)
async def test_settling_says_whom_when_and_what(house, said, field):
    id_ = await house.raised()
    with pytest.raises(NotSaid) as missing:
        await alerts.settle(house.waymark, house.hetty, id_, said)
    assert missing.value.field == field
    assert (await rows(house.waymark, Alert))[0].seen_at is None


async def test_what_was_done_is_kept_sealed_with_whom_and_when(both):
    id_ = await both.raised()
    said = done(f"{CANARY}: they went round", "social-worker", "police", when="2026-11-23T09:50")
    assert await alerts.settle(both.waymark, both.eddie, id_, said)
    shown = await alerts.open_(both.waymark, both.hetty, id_)
    assert list(shown.told) == ["The child's social worker", "The police"]
    assert shown.row.told_at == datetime(2026, 11, 23, 9, 50, tzinfo=LONDON)
    assert shown.row.taken_by == both.eddie.id
    async with both.waymark.database.reading() as db:
        raw = (await db.execute(sa.select(*Alert.__table__.columns))).one()
    assert CANARY not in repr(raw)
    assert CANARY not in repr(await rows(both.waymark, Audit))


async def test_no_further_action_takes_a_second_person(both):
    id_ = await both.raised()
    said = done("A drill at school", "nobody")
    assert not await alerts.settle(both.waymark, both.eddie, id_, said)
    (found,) = (await queue.queue(both.waymark, both.hetty, Asked())).alerts
    assert found.standing.second
    with pytest.raises(NotSaid, match="Somebody else has to agree"):
        await alerts.second(both.waymark, both.eddie, id_, agrees=True)
    with pytest.raises(EditClash):
        await alerts.settle(both.waymark, both.eddie, id_, said)
    await alerts.second(both.waymark, both.hetty, id_, agrees=True)
    assert (await queue.queue(both.waymark, both.hetty, Asked())).alerts == []
    shown = await alerts.open_(both.waymark, both.eddie, id_)
    who = (shown.agreed, shown.row.proposed_by_name, shown.row.seen_by_name)
    assert who == (True, "Eddie", "Hetty")
    with pytest.raises(EditClash):
        await alerts.second(both.waymark, both.hetty, id_, agrees=False)


async def test_who_does_not_agree_leaves_it_open_and_nothing_said_is_lost(both):
    id_ = await both.raised()
    await alerts.settle(both.waymark, both.eddie, id_, done("It was a drill", "nobody"))
    await alerts.second(both.waymark, both.hetty, id_, agrees=False)
    (found,) = (await queue.queue(both.waymark, both.hetty, Asked())).alerts
    assert not found.standing.second
    await alerts.settle(both.waymark, both.hetty, id_, done("Rang the social worker"))
    shown = await alerts.open_(both.waymark, both.eddie, id_)
    assert shown.row.action.startswith("Rang the social worker")
    assert "It was a drill" in shown.row.action
    assert not shown.agreed


async def test_of_agreeing_and_settling_at_once_one_counts(both):
    id_ = await both.raised()
    await alerts.settle(both.waymark, both.eddie, id_, done("It was a drill", "nobody"))
    came = await asyncio.gather(
        alerts.second(both.waymark, both.hetty, id_, agrees=True),
        alerts.settle(both.waymark, both.eddie, id_, done("Rang them after all")),
        return_exceptions=True,
    )
    assert sum(isinstance(one, EditClash) for one in came) == 1
    (alert,) = await rows(both.waymark, Alert)
    assert alert.seen_at is not None


@pytest.mark.parametrize("how", [("duty-team",), ("nobody",)])
async def test_a_submission_is_not_closed_over_an_alert(both, how):
    story = demo.Story("my-views-years-7-to-9", 1, {"unsafe": "yes"})
    one = await demo.Sender(both.waymark, "child", story).talk()
    (alert,) = await rows(both.waymark, Alert)
    closing = Move(stages.Status.DONE.value, "advice", "All is well")
    with pytest.raises(NotSaid, match="until somebody has said what was done"):
        await review.move(both.waymark, both.hetty, Seen(one, 1), closing)
    await alerts.settle(both.waymark, both.eddie, alert.id, done("Words", *how))
    if how == ("nobody",):
        with pytest.raises(NotSaid):
            await review.move(both.waymark, both.hetty, Seen(one, 1), closing)
        await alerts.second(both.waymark, both.hetty, alert.id, agrees=True)
    await review.move(both.waymark, both.hetty, Seen(one, 1), closing)


# --- It tests itself ------------------------------------------------------------------------


async def test_it_is_tried_out_each_working_day(both):
    at(both.clock, "2026-11-27 08:00")  # a Friday
    for _ in range(4 * 24 * 2):
        await rounds.try_out_if_due(both.waymark)
        await rounds.carry(both.waymark)
        both.clock.forward(30 * MINUTE)
    assert [letter["To"] for letter in both.box.letters] == [FIRST, FIRST]  # Friday and Monday
    assert both.box.letters[0]["Subject"] == "A test: this is how you are called"
    assert not (await called.state(both.waymark, both.eddie)).late


async def test_two_processes_try_it_out_once(both):
    at(both.clock, "2026-11-27 08:31")
    await asyncio.gather(*(rounds.try_out_if_due(both.waymark) for _ in range(4)))
    assert len(await both.calls()) == 1


async def test_when_it_has_not_worked_for_too_long_it_is_said_in_red(house):
    head = house.hetty
    at(house.clock, "2026-11-27 08:31")
    await rounds.try_out_if_due(house.waymark)
    await rounds.carry(house.waymark)
    at(house.clock, "2026-11-30 09:29")  # over the weekend it need not
    assert not (await called.state(house.waymark, head)).late
    house.box.to[FIRST] = "550 no such person"
    await rounds.try_out_if_due(house.waymark)
    await rounds.carry(house.waymark)
    at(house.clock, "2026-11-30 09:31")
    (way,) = (await called.state(house.waymark, head)).late
    assert way.worked_at == datetime(2026, 11, 27, 8, 31, tzinfo=LONDON).replace(
        microsecond=way.worked_at.microsecond
    )
    assert way.wrong == called.FAULTS["refused"]
    house.box.to.clear()
    await called.test_now(house.waymark, head)
    await rounds.carry(house.waymark)
    assert not (await called.state(house.waymark, head)).late


async def test_calls_go_after_their_time(house):
    await house.raised()
    await house.round()
    house.clock.forward(timedelta(days=CONTENT.policy.retention.call + 2))
    await retention.run(house.waymark)
    assert await house.calls() == []


# --- Channels that Apprise reaches ----------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's own
async def test_a_channel_hears_the_same_and_no_more(tmp_path, box, caplog):
    heard = []

    async def listen(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(x for x in head.lower().splitlines() if x.startswith("content-length"))
        heard.append(json.loads(await reader.readexactly(int(length.split(":")[1]))))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    logs.configure("debug")
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    caplog.set_level(logging.DEBUG)
    urls = f"json://127.0.0.1:{port}/?-secret=hush"
    async with _house(tmp_path, box, apprise_urls=urls) as house:
        await demo.Sender(house.waymark, "child", UNSAFE).talk()
        await house.round()
        (alert,) = await rows(house.waymark, Alert)
        assert {c.whom: c.state for c in await house.calls()} == {
            f"staff:{house.hetty.id}": "sent", "channel:1": "sent",
        }  # fmt: skip
        ways = (await called.state(house.waymark, house.hetty)).ways
        assert [way.label for way in ways] == ["E-mail", "Channel 1"]
    (said,) = heard
    assert said["title"] == "Something needs to be looked at now"
    assert f"/staff/alerts/{alert.id}" in said["message"]
    assert CANARY not in json.dumps(said)
    assert "hush" not in caplog.text
    server.close()


async def test_a_channel_without_the_library_is_a_fault_that_is_shown(monkeypatch):
    monkeypatch.setattr("bot.calling.channels.installed", lambda: False)
    letter = Letter("1", "", "subject", "text", urgent=True)
    settings = Settings(apprise_urls="json://nowhere")
    assert await Channel(settings.apprise_urls[0]).send(letter) == Outcome("again", "not-installed")
    assert "nowhere" not in repr(settings)


# --- Settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_host": "mail.council.example"}, "WAYMARK_SMTP_FROM"),
        (
            {
                "smtp_host": "mail.council.example", "smtp_from": "a@b.example",
                "smtp_security": "none",
            },
            "only for a server on this machine",
        ),
    ],
)  # fmt: skip
def test_half_a_mail_server_is_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        Settings(**given)


# --- Pages ----------------------------------------------------------------------------------


async def signed_in(site, person, address=SITE) -> Staff:
    async with site.database.transaction() as db:
        link = await accounts.new_way_in(site.waymark, db, person.id)
    browser = Staff(site.site, address)
    return await browser.use(link)


async def test_without_a_way_the_queue_says_plainly_that_nobody_is_called(tmp_path):
    async with running(tmp_path) as site:
        head = await member(site.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        eddie = await member(site.waymark, "Eddie", SECOND, Role.EDUCATION_COORDINATOR)
        await demo.Sender(site.waymark, "child", UNSAFE).talk()
        browser = await signed_in(site, head)
        assert "Nobody is called when someone may be unsafe." in browser.text
        await browser.go("/staff/called")
        assert "Nobody is called." in browser.text
        (alert,) = await rows(site.waymark, Alert)
        await browser.go(f"/staff/alerts/{alert.id}")
        assert "Tell your colleagues yourself." in browser.text
        other = await signed_in(site, eddie)
        assert "Nobody is called when someone may be unsafe." in other.text
        assert not other.page.select("a[href='/staff/called']")


async def test_from_the_call_to_the_second_person_as_staff_do_it(tmp_path, box, monkeypatch):
    monkeypatch.setattr(rounds, "_forever", lambda *_: asyncio.sleep(0))  # the test does the rounds
    async with running(tmp_path, **box.settings) as site:
        head = await member(site.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        eddie = await member(site.waymark, "Eddie", SECOND, Role.EDUCATION_COORDINATOR)
        browser, other = await signed_in(site, head), await signed_in(site, eddie)
        await browser.go("/staff")
        assert "has not worked yet" in browser.page.select_one(".staff-calling").text
        await browser.go("/staff/called")
        await browser.send("/called/test")
        await rounds.carry(site.waymark)
        await browser.go("/staff")
        assert not browser.page.select(".staff-calling")

        await demo.Sender(site.waymark, "child", UNSAFE).talk()
        await rounds.look(site.waymark)
        await rounds.carry(site.waymark)
        link = next(w for w in box.letters[-1].get_content().split() if "/staff/alerts/" in w)
        await browser.go("/staff")
        assert "Nobody is looking at it yet" in browser.page.select_one(".staff-alerts").text
        assert "Called: Hetty" in " ".join(browser.page.select_one(".staff-alerts").text.split())
        await browser.go(link)
        await other.go(link)
        await browser.send("/look")
        assert "You are looking at this" in browser.text
        await other.send("/look")
        assert other.status == 409
        assert "Hetty is looking at this" in other.text

        said = {"told": "nobody", "action": "A drill at school"}
        await browser.send(f"/alerts/{link.rsplit('/', 1)[1]}", **said)
        assert "Somebody else has to agree" in browser.text
        await other.go("/staff")
        assert "Waiting for a second person" in other.text
        await other.go(link)
        await other.send("/second", agrees="yes")
        assert "No further action" in other.text
        assert "Nobody: no further action is needed" in other.text
        await other.go("/staff")
        assert not other.page.select(".staff-alerts")


async def test_the_status_page_says_why_it_cannot_be_closed(tmp_path, box):
    async with running(tmp_path, **box.settings) as site:
        head = await member(site.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        story = demo.Story("my-views-years-7-to-9", 1, {"unsafe": "yes"})
        one = await demo.Sender(site.waymark, "child", story).talk()
        browser = await signed_in(site, head)
        await browser.go(f"/staff/submissions/{one}/status")
        assert "It can't be closed yet." in browser.text
        await browser.move(one, "closed-done", "advice", "All is well")
        assert browser.status == 422
        assert "until somebody has said what was done" in browser.text
        await browser.move(one, "waiting")
        assert browser.status == 200


@pytest.mark.parametrize("off", [False, True])
async def test_the_pages_fit_and_have_no_accessibility_faults(tmp_path, box, page, off):
    box.to[FIRST] = "550 no such person"
    async with served(tmp_path, **({} if off else box.settings)) as (site, address):
        head = await member(site.waymark, "Hetty", FIRST, Role.HEADTEACHER)
        eddie = await member(site.waymark, "Eddie", SECOND, Role.EDUCATION_COORDINATOR)
        await demo.Sender(site.waymark, "child", UNSAFE).talk()
        await rounds.look(site.waymark)
        await rounds.carry(site.waymark)
        (alert,) = await rows(site.waymark, Alert)
        browser = await signed_in(site, head, address)
        await browser.sit_down(page.context, address)
        here = f"{address}/staff/alerts/{alert.id}"
        for place in (f"{address}/staff", f"{address}/staff/called", here):
            await page.goto(place)
            await fits(page)
        await page.get_by_role("button", name="Keep this and close the alert").click()
        assert "Choose whom you told" in await page.inner_text("main")
        await fits(page)
        await alerts.settle(site.waymark, eddie, alert.id, done("A drill at school", "nobody"))
        await page.goto(here)
        await fits(page)
        await page.get_by_role("button", name="I agree: close the alert").click()
        assert "no further action is needed" in await page.inner_text("main")
        await fits(page)


async def fits(page):
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url
