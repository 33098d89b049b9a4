"""What may be told as fact today: sure, confirmed for this very text, and not taken down."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.exc import OperationalError

from bot import asking, retention
from bot import facts as told
from bot.conversation import messages as say
from bot.facts import State
from bot.store.models import Audit, DataKey, FactDecision
from bot.wiring import decided
from content.facts import due, stated
from content.schema import Confidence, Role
from tests import opened
from tests.drivers.staff import Staff
from tests.drivers.telegram import Person as Chat
from tests.drivers.waymark import CONTENT, SERVED, running, unhurried, wired
from tests.drivers.web import OnForm, Visitor
from web import play
from web.casework import accounts, facts, passwords
from web.casework.facts import Basis
from web.casework.faults import NotSaid
from web.casework.permissions import Person
from web.commands import entitlements as command

HERE = "staffordshire"
HOME = "setting-up-home"  # high, with a sum
UNSURE = "bus-pass"  # low
DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
PAST = CONTENT.entitlements[HOME].review_by + DAY
CANARY = "Zaunkoenig"
BASIS = Basis("The bus pass page", "Invented Council", "https://council.example/bus", "2027-05-01")
CHECKING = "We are checking this again"
FACTS = "/staff/content/facts"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


@pytest.fixture
async def head(house):
    return await person(house, Role.HEADTEACHER)


async def person(house, role):
    async with house.database.transaction() as db:
        email = f"{role.value}@example.org"
        id_ = await accounts.make(house.waymark, db, role.value.title(), email, role)
    return Person(id_, role.value.title(), role)


async def browser(house, role=Role.HEADTEACHER, name="Ann") -> Staff:
    link = await accounts.add(house.waymark, name, f"{name.casefold()}@example.org", role.value)
    return await Staff(house.site).use(link)


async def seen(house, who, kind, row):
    return (await facts.one(house.waymark, who, kind, row)).seen


async def confirmed(house, who, kind="entitlement", row=UNSURE, basis=BASIS, note="I rang them"):
    now = await seen(house, who, kind, row)
    await facts.confirm(house.waymark, who, kind, row, now, basis, note)


async def down(house, who, kind="entitlement", row=HOME, note="The sum is wrong"):
    await facts.take_down(house.waymark, who, kind, row, await seen(house, who, kind, row), note)


async def page(house, address):
    return (await Visitor(house).open(address)).html


def with_rows(**rows):
    """The content, some of its entitlements written anew."""
    changed = {
        name: CONTENT.entitlements[name].model_copy(update=update)
        for name, update in ((key.replace("_", "-"), value) for key, value in rows.items())
    }
    content = unhurried(SERVED[HERE])
    return replace(content, entitlements={**content.entitlements, **changed})


# --- One row --------------------------------------------------------------------------------


def judged(decision=None, **row):
    """One entitlement as written with these changes, and what was decided of it."""
    content = with_rows(setting_up_home=row)
    decisions = {("entitlement", HOME): decision} if decision else {}
    found = told.judged(content, HERE, decisions)
    return next(one for one in found if one.stated.key == ("entitlement", HOME))


def digest(**row):
    return judged(**row).stated.digest


def decision(verdict, at=TODAY, of=None, review_by=None):
    return SimpleNamespace(
        verdict=verdict, digest=of or digest(),
        at=datetime(at.year, at.month, at.day, 9, tzinfo=UTC),
        source="A page", publisher="Somebody", address="https://a.example",
        review_by=review_by or date(2027, 6, 1),
    )  # fmt: skip


LOW = {"confidence": Confidence.LOW}


@pytest.mark.parametrize(
    ("decided", "row", "day", "state"),
    [
        (None, {}, TODAY, State.TOLD),
        (None, {}, PAST - DAY, State.TOLD),
        (None, {}, PAST, State.PAST),
        (None, LOW, TODAY, State.AWAITING),
        (None, {"confidence": Confidence.UNVERIFIED}, TODAY, State.AWAITING),
        (decision("confirmed"), LOW, TODAY, State.TOLD),
        (decision("confirmed"), {}, PAST, State.TOLD),
        (decision("confirmed"), LOW, date(2027, 6, 2), State.PAST),
        # A confirmation is of one text; any other word and it is over.
        (decision("confirmed"), {**LOW, "how": "Ask."}, TODAY, State.AWAITING),
        (decision("confirmed"), {**LOW, "amount": "Up to £4,000"}, TODAY, State.AWAITING),
        (decision("confirmed"), {"how": "Ask."}, PAST, State.PAST),
        # Looked at again in the file since: its own day counts.
        (
            decision("confirmed", review_by=date(2028, 1, 1)),
            {"checked": date(2026, 12, 1)}, PAST, State.PAST,
        ),
        # What is taken down stays so, even when it is written anew.
        (decision("taken-down"), {}, TODAY, State.TAKEN_DOWN),
        (decision("taken-down"), {"how": "Ask."}, TODAY, State.TAKEN_DOWN),
        # Put back, it is as sure as its file says and no more.
        (decision("restored"), {}, TODAY, State.TOLD),
        (decision("restored"), LOW, TODAY, State.AWAITING),
    ],
)  # fmt: skip
def test_what_becomes_of_a_row(decided, row, day, state):
    assert judged(decided, **row).state(day) is state


def test_another_day_or_confidence_is_no_other_text():
    assert digest() == digest(checked=PAST, review_by=PAST + DAY, **LOW)
    assert digest() != digest(title="Money for a home")
    assert digest() != digest(sources=())


def test_what_was_confirmed_is_told_with_that_source_and_day():
    row = judged(decision("confirmed"), **LOW).row()
    assert [source.title for source in row.sources] == ["A page"]  # not what was only supposed
    assert row.checked == TODAY
    assert row.published
    sure = judged(decision("confirmed")).row()
    assert [source.title for source in sure.sources] == ["A page", "The Grand Campaign"]


def test_every_kind_is_judged_each_row_once():
    keys = [one.key for one in stated(SERVED["kirklees"], "kirklees")]
    assert len(keys) == len(set(keys))
    assert {kind for kind, _ in keys} == set(facts.KINDS)
    assert set(CONTENT.helplines("kirklees")) == {row for kind, row in keys if kind == "helpline"}


# --- Past its review date -------------------------------------------------------------------


async def test_past_its_day_no_sum_is_promised_anywhere(house):
    amount = CONTENT.entitlements[HOME].amount
    shown = (await page(house, "/entitlements")).select_one(f"#{HOME}").get_text(" ")
    assert amount in shown
    assert CHECKING not in shown
    house.clock.at = datetime(PAST.year, PAST.month, PAST.day, 12, tzinfo=UTC)
    shown = (await page(house, "/entitlements")).select_one(f"#{HOME}").get_text(" ")
    assert amount not in shown
    assert "we do not say how much it is. Please ask us or your PA first." in shown
    assert CONTENT.entitlements[HOME].title in shown  # still there, to ask about
    post = next(p for p in signposts(house) if p.entitlement.id == HOME)
    assert post.told == "may"
    assert CHECKING in " ".join(reason.said(CONTENT.wording["en"]) for reason in post.because)
    assert post.entitlement.amount is None


def signposts(house):
    script = house.waymark.script("next-steps", house.waymark.clock())
    known = {
        "who": "myself", "age": "19", "birthday": "birthday-later", "care": "before",
        "left-by": "at-18", "at-16": "yes", "thirteen-weeks": "yes", "council": "staffordshire",
    }  # fmt: skip
    return script.signposts({name: frozenset({value}) for name, value in known.items()})


async def test_the_chat_says_no_sum_then_either(house):
    amount = CONTENT.entitlements[HOME].amount
    for day in (TODAY, PAST):
        house.clock.at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        words = "\n".join(bubble.text for bubble in spoken(house))
        assert CONTENT.entitlements[HOME].title in words
        assert (amount in words) == (day == TODAY)


def spoken(house):
    script = house.waymark.script("next-steps", house.waymark.clock())
    talk = play._voice(house.waymark, script, SimpleNamespace(language="en", nonce="n"))
    return play.speech.entitlements(signposts(house), talk)


async def test_an_answer_says_that_it_is_checked_and_a_number_stays(house):
    answer = house.waymark.authority.answers[0].id
    assert CHECKING not in (await page(house, "/answers")).select_one(f"#{answer}").get_text(" ")
    assert "Childline" in (await page(house, "/help-now")).get_text()
    house.clock.forward(366 * DAY)
    assert CHECKING in (await page(house, "/answers")).select_one(f"#{answer}").get_text(" ")
    assert "Childline" in (await page(house, "/help-now")).get_text()  # an old number beats none


# --- Taken down -----------------------------------------------------------------------------


async def test_taken_down_it_is_told_nowhere_and_put_back_everywhere(house, head):
    title = CONTENT.entitlements[HOME].title
    assert HOME in {post.entitlement.id for post in signposts(house)}
    await down(house, head)
    assert title not in (await page(house, "/entitlements")).get_text()
    assert HOME not in {post.entitlement.id for post in signposts(house)}
    await facts.restore(
        house.waymark, head, "entitlement", HOME,
        await seen(house, head, "entitlement", HOME), "It was right",
    )  # fmt: skip
    assert title in (await page(house, "/entitlements")).get_text()
    assert HOME in {post.entitlement.id for post in signposts(house)}


async def test_an_answer_that_is_taken_down_is_gone(house, head):
    answer = house.waymark.authority.answers[0]
    await down(house, head, "answer", answer.id)
    assert answer.question not in (await page(house, "/answers")).get_text()


async def test_a_line_that_is_taken_down_is_rung_nowhere(house, head):
    async with house.http() as http:
        pat = Chat(http, house.fake, house.channel)
        await down(house, head, "helpline", "nspcc", "The number is another's now")
        assert "NSPCC Helpline" not in (await page(house, "/help-now")).get_text()
        await pat.start()
        await pat.tap("Yes, I am 16 or over")
        await pat.start("raise-a-concern")
        await pat.tap("I need help now")
        words = "\n".join(message.text for message in pat.shown)
        assert "Call 999" in words
        assert "NSPCC Helpline" not in words
    form = OnForm(house)
    await form.begin("raise-a-concern")
    await form.choose("danger", "not-sure")
    text = (await form.open(f"/form/{form.id}/danger/notice")).html.get_text()
    assert "999" in text
    assert "NSPCC Helpline" not in text


async def test_a_notice_is_never_left_without_a_line(house, head):
    lines = CONTENT.notices["worried-child"].helplines
    for line in lines[:-1]:
        await down(house, head, "helpline", line)
    with pytest.raises(NotSaid, match="would have no line left"):
        await down(house, head, "helpline", lines[-1])


async def test_who_had_chosen_it_goes_on_without_it(house, head):
    form = OnForm(house)
    await form.begin("next-steps")
    given = {
        "safe-now": "safe", "privacy": "read", "who": "myself", "age": "19",
        "birthday": "birthday-later", "care": "before", "council": "staffordshire",
        "home-council": "staffordshire", "left-by": "at-18", "thirteen-weeks": "yes",
        "at-16": "yes", "living-with": "own-place", "doing-now": "looking", "level": "0",
        "agreed-course": "no", "worker": "yes", "call-back": "yes",
    }  # fmt: skip
    while (at := await form.asked()) != "what-you-may-get":
        if at == "age":
            await form.say(at, "19")
        elif at in ("want-next", "circumstances"):
            await form.tick(at, ["money" if at == "want-next" else "none-of-these"])
        else:
            await form.choose(at, given[at])
    await form.tick("what-you-may-get", [HOME, "leaving-care-staffordshire"])
    await down(house, head)
    await form.open(form.home)
    await form.choose("call-back", "no")
    text = (await form.open(f"{form.home}/check")).html.get_text()
    assert CONTENT.entitlements[HOME].title not in text
    assert CONTENT.entitlements["leaving-care-staffordshire"].title in text


# --- Asked for -----------------------------------------------------------------------------


def found(house, text):
    """What is told to somebody who asks this, by id."""
    messages = asking.find(house.waymark, text, asking.CHANNELS)
    (said,) = [message for message in messages if isinstance(message, say.Found)]
    return {result.document.id: result.document.thing for result in said.results}


async def test_asking_finds_what_may_be_told_as_it_may_be_told(house, head):
    amount, asked = "At least £3,000", "how much is the setting up home allowance"
    assert found(house, asked)[HOME].amount == amount
    assert UNSURE not in found(house, "bus pass")
    await confirmed(house, head)
    await down(house, head)
    await page(house, "/ask")  # any page reads again what was decided
    assert found(house, "bus pass")[UNSURE].sources[0].title == "The bus pass page"
    assert HOME not in found(house, asked)
    await down(house, head, "misconception", "bursary-not-automatic")
    said = "All care leavers get £1,200 at college."
    assert "bursary-not-automatic" in found(house, said)
    await page(house, "/ask")
    assert "bursary-not-automatic" not in found(house, said)


async def test_asking_says_no_sum_past_its_day_and_puts_nobody_right(house):
    house.clock.at = datetime(PAST.year, PAST.month, PAST.day, 12, tzinfo=UTC)
    row = found(house, "how much is the setting up home allowance")[HOME]
    assert row.amount is None
    assert CHECKING in row.unsure
    house.clock.at = datetime(2027, 11, 22, 12, tzinfo=UTC)
    fits = found(house, "All care leavers get £1,200 at college.")
    assert "bursary-not-automatic" not in fits
    assert found(house, "how do I contact you")["who-to-contact"].answer.startswith(CHECKING)


async def test_an_answer_that_is_confirmed_is_found_with_its_new_source(house, head):
    await confirmed(house, head, "answer", "who-to-contact")
    await page(house, "/ask")
    answer = found(house, "how do I contact you")["who-to-contact"]
    assert answer.sources[0].title == "The bus pass page"


async def test_where_nothing_fits_nobody_is_pointed_to_what_was_taken_down(house, head):
    def who():
        said = asking.find(house.waymark, "xylophone zebra", asking.CHANNELS)
        return said[-1].who

    assert who().id == "who-to-contact"
    await down(house, head, "answer", "who-to-contact")
    await page(house, "/ask")
    assert who() is None


async def test_what_is_found_is_worked_out_anew_only_when_something_changed(house, head):
    """Building the index takes half a second: nobody is to wait for it every minute."""
    first = house.waymark.told(house.clock()).finder
    house.clock.forward(timedelta(minutes=5))
    await page(house, "/ask")
    assert house.waymark.told(house.clock()).finder is first
    await down(house, head)
    await page(house, "/ask")
    assert house.waymark.told(house.clock()).finder is not first


# --- Confirmed ------------------------------------------------------------------------------


async def test_confirmed_it_is_told_with_who_says_so_and_when(house, head):
    title = CONTENT.entitlements[UNSURE].title
    assert title not in (await page(house, "/entitlements")).get_text()
    await confirmed(house, head)
    shown = (await page(house, "/entitlements")).select_one(f"#{UNSURE}").get_text(" ")
    assert "The bus pass page" in shown
    assert "23 November 2026" in shown
    house.clock.at = datetime(2027, 5, 2, 12, tzinfo=UTC)
    shown = (await page(house, "/entitlements")).select_one(f"#{UNSURE}").get_text(" ")
    assert CHECKING in shown


async def test_written_anew_the_confirmation_is_over(house, head, tmp_path):
    await confirmed(house, head)
    anew = with_rows(bus_pass={"how": "Ask at the bus station."})
    async with running(tmp_path, content=anew) as later:
        assert (
            CONTENT.entitlements[UNSURE].title
            not in (await page(later, "/entitlements")).get_text()
        )
        found = await facts.one(later.waymark, head, "entitlement", UNSURE)
        assert found.line.state is State.AWAITING
        assert found.line.judged.lapsed


async def test_decisions_are_added_never_altered_and_hold_no_words_in_the_clear(house, head):
    await confirmed(house, head, note=f"{CANARY} told me")
    await down(house, head, "entitlement", UNSURE, note=f"{CANARY} was wrong")
    made = await opened.rows(house.waymark, FactDecision)
    assert sorted(row.verdict for row in made) == ["confirmed", "taken-down"]
    assert {row.by for row in made} == {head.id}
    assert all(CANARY in row.note for row in made)
    async with house.database.reading() as db:
        raw = [repr(row) for row in await db.execute(sa.select(*FactDecision.__table__.columns))]
        log = [repr(row) for row in await db.execute(sa.select(*Audit.__table__.columns))]
    assert not any(CANARY in row for row in (*raw, *log))
    assert sum("fact.confirmed" in row for row in log) == 1
    assert sum("fact.taken-down" in row for row in log) == 1
    assert any(f"entitlement:{UNSURE}" in row for row in log)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("source", ""),
        ("source", "x" * 201),
        ("publisher", " "),
        ("address", ""),
        ("address", "javascript:alert(1)"),
        ("address", "https://"),
        ("address", "https://a.example/\u202e"),
        ("address", "https://[a"),
        ("review_by", ""),
        ("review_by", "soon"),
        ("review_by", "2026-11-23"),
        ("review_by", "2029-11-23"),
    ],
)
async def test_what_a_confirmation_must_say(house, head, field, typed):
    with pytest.raises(NotSaid) as problem:
        await confirmed(house, head, basis=replace(BASIS, **{field: typed}))
    assert problem.value.field == field
    assert await opened.rows(house.waymark, FactDecision) == []


async def test_nothing_is_decided_without_a_reason_or_on_what_was_not_seen(house, head):
    before = await seen(house, head, "entitlement", UNSURE)
    with pytest.raises(NotSaid, match="how you know"):
        await confirmed(house, head, note=" ")
    await down(house, head, "entitlement", UNSURE)
    with pytest.raises(NotSaid, match="since you opened this"):
        await facts.confirm(house.waymark, head, "entitlement", UNSURE, before, BASIS, "I rang")
    with pytest.raises(NotSaid, match="put it back first"):
        await confirmed(house, head)
    with pytest.raises(NotSaid, match="taken down already"):
        await down(house, head, "entitlement", UNSURE)


# --- Every process, and every command -------------------------------------------------------


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
async def test_another_process_knows_within_a_minute(on, tmp_path, request):
    url = request.getfixturevalue("postgres_url") if on == "postgresql" else None
    async with running(tmp_path, url) as one, running(tmp_path, url, role="public") as other:
        other.clock.at = one.clock.at
        title = CONTENT.entitlements[HOME].title
        assert title in (await page(other, "/entitlements")).get_text()
        await down(one, await person(one, Role.HEADTEACHER))
        assert title not in (await page(one, "/entitlements")).get_text()
        other.clock.forward(timedelta(seconds=59))
        assert title not in (await page(other, "/entitlements")).get_text()
        async with other.database.reading() as db:
            assert len(await told.facts.newest(db)) == 1


async def test_who_reads_while_something_is_decided_reads_again(house, head, monkeypatch):
    """What was read before must not stand for what was decided meanwhile."""
    waymark, reading = house.waymark, asyncio.Event()
    newest = told.facts.newest

    async def slowly(db):
        found = await newest(db)
        reading.set()
        await asyncio.sleep(0.2)
        return found

    house.clock.forward(DAY)
    with monkeypatch.context() as patch:
        patch.setattr(told.facts, "newest", slowly)
        slow = asyncio.create_task(waymark.facts.refresh(waymark.database, waymark.clock()))
        await reading.wait()
        patch.setattr(told.facts, "newest", newest)
        await down(house, head)
        await slow
    assert CONTENT.entitlements[HOME].title not in (await page(house, "/entitlements")).get_text()


async def test_help_is_told_while_the_database_is_away(house, head, monkeypatch, caplog):
    await down(house, head, "helpline", "nspcc")
    await page(house, "/help-now")
    house.clock.forward(DAY)

    async def away(db):
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(told.facts, "newest", away)
    text = (await page(house, "/help-now")).get_text()
    assert "Childline" in text
    assert "NSPCC Helpline" not in text  # what was known goes on
    assert "decisions not read" in caplog.text


async def test_the_commands_tell_no_more(house, head, tmp_path):
    line = json.dumps({"age": 19, "care": "before", "left": "at-18"}).encode()
    settings = house.waymark.settings
    await down(house, head)
    shown = told.told(CONTENT, None, await decided(settings), TODAY).entitlements
    answer = command.answer(line, 1, replace(CONTENT, entitlements=shown), TODAY)
    before = command.answer(line, 1, CONTENT, TODAY)

    def ids(of):
        return {row["id"] for group in ("told", "may", "not_yet") for row in of[group]}

    assert ids(before) - ids(answer) == {HOME}
    nowhere = settings.model_copy(update={"data_dir": tmp_path / "nothing"})
    assert await decided(nowhere) == {}
    assert not (tmp_path / "nothing").exists()


async def test_a_database_from_before_there_were_any_has_none(tmp_path):
    waymark, _ = wired(tmp_path)
    await waymark.database.migrate()
    async with waymark.database.transaction() as db:
        await db.execute(sa.text("DROP TABLE fact_decision"))
    assert await told.already(waymark.database) == {}
    await waymark.database.close()


# --- Kept -----------------------------------------------------------------------------------


async def test_what_holds_today_stays_and_what_it_replaced_goes_in_time(house, head):
    await confirmed(house, head)
    house.clock.forward(DAY)
    await down(house, head, "entitlement", UNSURE)
    house.clock.forward((CONTENT.policy.retention.fact_decision + 2) * DAY)
    await retention.run(house.waymark)
    (left,) = await opened.rows(house.waymark, FactDecision)
    assert left.verdict == "taken-down"
    async with house.database.reading() as db:
        keys = await db.scalars(sa.select(DataKey.owner).where(DataKey.owner.like("fact:%")))
        assert keys.all() == [f"fact:{left.id}"]


# --- What must be looked at -----------------------------------------------------------------


def test_check_content_names_what_is_due_by_file_line_and_key(tmp_path):
    row = CONTENT.entitlements[HOME]
    early = due(CONTENT, row.review_by - timedelta(days=31))
    assert not any(fault.key == HOME for fault in early)
    (soon,) = [f for f in due(CONTENT, row.review_by - timedelta(days=30)) if f.key == HOME]
    assert str(soon).startswith("content/directory/entitlements/money.yaml:6:setting-up-home:")
    assert str(soon).endswith("due on 2027-02-28")
    (past,) = [f for f in due(CONTENT, row.review_by + DAY) if f.key == HOME]
    assert str(past).endswith("past since 2027-02-28")
    # Helplines and answers name no day: a year after they were checked.
    assert not any(fault.key == "childline" for fault in due(CONTENT, date(2027, 10, 21)))
    assert any(fault.key == "childline" for fault in due(CONTENT, date(2027, 10, 22)))


@pytest.mark.parametrize(("today", "said"), [("2026-11-23", False), ("2027-02-20", True)])
def test_check_content_says_so_and_is_content_all_the_same(today, said, time_machine, tmp_path):
    from tests.drivers.command import waymark as typed

    time_machine.move_to(f"{today}T12:00:00Z")
    done = typed({"data_dir": tmp_path}, "check-content")
    assert done.well
    assert "No faults." in done.said
    lines = done.said.splitlines()
    assert ("due for re-check:" in lines) is said
    assert any(":setting-up-home: due on 2027-02-28" in line for line in lines) is said
