"""Lists and pages agree: what is listed is counted, found, exported and told of as new, and opens;
and nothing else is. For whatever submissions, people, links and grants there may be."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.errors import NotAllowed, ReasonNeeded, UnknownSubmission
from bot.store.models import AccessGrant, Alert, Staff, SubmissionLink, SubmissionRow
from bot.store.rights import FACTS, Within
from content.schema import Role
from tests.drivers.waymark import wired
from web.casework import exports, permissions, rows, stages
from web.casework.find import find
from web.casework.permissions import Action, Fact, Person, Subject, When
from web.casework.queue import Asked, news, queue

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TEAMS = ("virtual-school", "transitions")
PEOPLE = tuple(
    Person(f"{role}-{team}", f"{role} {team}", role, team) for role in Role for team in TEAMS
)
IDS = [person.id for person in PEOPLE]


@dataclass(frozen=True)
class One:
    """A submission, and what lets people in. An hour ahead or behind: True or False."""

    owner: str | None
    team: str | None
    restricted: bool
    status: str
    handle: str
    links: dict[str, bool | None]
    """Until then; None for as long as it is not stopped."""
    grants: dict[tuple[str, str], bool]
    back: int | None = None
    """So many places before it stands what it was added to."""
    first: One | None = None

    def opens(self, who: Person) -> bool:
        """By hand, not by the rules: they are what is tested."""
        both = [self, self.first] if self.first else [self]
        named = any(
            one.owner == who.id or one.links.get(who.id, False) is not False for one in both
        )
        if who.role is Role.HEADTEACHER or named:
            return True
        if who.role is Role.MENTOR:
            return False
        if any(one.grants.get((who.id, "glass")) for one in both):
            return True
        near = both[-1].owner is None or any(
            one.team == who.team or one.grants.get((who.id, "reason")) for one in both
        )
        return bool(near) and not self.hidden

    @property
    def hidden(self) -> bool:
        return self.restricted or (self.first is not None and self.first.restricted)

    def asks(self, who: Person) -> bool:
        """Whether it would open for a reason."""
        leads = who.role not in (Role.HEADTEACHER, Role.MENTOR)
        return leads and not self.hidden and not self.opens(who)

    def subject(self) -> Subject:
        holds = [key for key, ahead in self.grants.items() if ahead]
        return Subject(
            owner=self.owner,
            team=self.team,
            restricted=self.restricted,
            shared_with=[who for who, ahead in self.links.items() if ahead is not False],
            reason_of=[who for who, kind in holds if kind == "reason"],
            glass_of=[who for who, kind in holds if kind == "glass"],
            first=self.first.subject() if self.first else None,
        )


ones = st.builds(
    One,
    owner=st.none() | st.sampled_from(IDS),
    team=st.sampled_from([None, *TEAMS]),
    restricted=st.booleans(),
    status=st.sampled_from(list(stages.Status)).map(str),
    handle=st.sampled_from(["Amber Otter", "Misty Crane", "Silver Hare"]),
    links=st.dictionaries(st.sampled_from(IDS), st.sampled_from([True, False, None]), max_size=3),
    grants=st.dictionaries(
        st.tuples(st.sampled_from(IDS), st.sampled_from(["reason", "glass"])),
        st.booleans(),
        max_size=4,
    ),
    back=st.none() | st.integers(1, 3),
)


def tied(house: list[One]) -> list[One]:
    """Some of them added to one that came before, which is no addition itself."""
    made: list[One] = []
    for one in house:
        at = len(made) - one.back if one.back else -1
        first = made[at] if at >= 0 and made[at].first is None else None
        made.append(replace(one, back=one.back if first else None, first=first))
    return made


houses = st.lists(ones, max_size=6).map(tied)


def reference(number: int) -> str:
    return f"VS-TEST-{number:04}"


@pytest.fixture(scope="module")
async def on_sqlite(tmp_path_factory):
    waymark, _ = wired(tmp_path_factory.mktemp("reach"))
    await waymark.database.migrate()
    await staffed(waymark)
    yield waymark
    await waymark.database.close()


@pytest.fixture
async def on_postgres(tmp_path, postgres_url):
    waymark, _ = wired(tmp_path, postgres_url)
    await waymark.database.migrate()
    await staffed(waymark)
    yield waymark
    await waymark.database.close()


async def staffed(waymark):
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        for person in PEOPLE:
            values = {"id": person.id, "name": person.name, "email": person.id, "active": True}
            values |= {"role": person.role.value, "team": person.team, "made_at": now}
            await db.execute(sa.insert(Staff).values(password_hash=None, **values))


async def fill(waymark, house: list[One]) -> None:
    now = waymark.clock()
    ahead, behind = now + timedelta(hours=1), now - timedelta(hours=1)
    when = {True: ahead, False: behind, None: None}
    async with waymark.database.transaction() as db:
        for table in (AccessGrant, SubmissionLink, Alert, SubmissionRow):
            await db.execute(sa.delete(table))
        for number, one in enumerate(house):
            await db.execute(sa.insert(SubmissionRow).values(_row(number, one, now)))
            links = [
                {
                    "submission": str(number),
                    "staff": who,
                    "by": who,
                    "at": behind,
                    "until": when[to],
                }
                for who, to in one.links.items()
            ]
            grants = [
                {
                    "id": f"{number}{who}{kind}", "submission": str(number), "staff": who,
                    "kind": kind, "purpose": "other", "reason": None, "given_at": behind,
                    "until": when[to], "seen_at": now, "seen_by": who,
                }
                for (who, kind), to in one.grants.items()
            ]  # fmt: skip
            for table, values in ((SubmissionLink, links), (AccessGrant, grants)):
                if values:
                    await db.execute(sa.insert(table), values)


def _row(number: int, one: One, now: datetime) -> dict:
    plain = dict.fromkeys(
        ("conversation", "sender", "channel", "authority", "flow", "title", "sender_role"), "x"
    )
    return {
        **plain, "id": str(number), "reference": reference(number), "handle": one.handle,
        "kind": "concern", "topic": None, "language": "en", "payload": None, "priority": "high",
        "rank": 1, "reasons": [], "status": one.status, "owner": one.owner, "team": one.team,
        "restricted": one.restricted,
        "adds_to": str(number - one.back) if one.first else None,
        "changed_at": now, "received_at": now, "reply_due": now,
        "replied_at": None, "unread": True, "return_key": str(number), "version": 1,
    }  # fmt: skip


# --- The same everywhere ------------------------------------------------------------------


async def listed(waymark, who: Person) -> tuple[set[str], int]:
    """Every page of the open and the closed queue, and how many the tabs say."""
    seen, counted = set(), 0
    for stage in ("open", "closed"):
        shown = await queue(waymark, who, Asked(stage=stage))
        seen |= {line.reference for line in shown.lines}
        counted += shown.counts[stage]
        assert shown.total == shown.counts[stage]
    return seen, counted


async def found(waymark, who: Person, house: list[One]) -> set[str]:
    seen = set()
    for number in range(len(house)):
        finds = await find(waymark, who, reference(number).lower().replace("-", " "))
        seen |= {line.reference for line in finds.lines}
        assert bool(finds.elsewhere) == house[number].asks(who)
    for handle in {one.handle for one in house}:
        finds = await find(waymark, who, f" {handle.upper()}")
        called = {reference(n) for n, one in enumerate(house) if one.handle == handle}
        assert {line.reference for line in finds.lines} <= called
        asks = {str(n) for n, one in enumerate(house) if one.handle == handle and one.asks(who)}
        assert set(finds.elsewhere) == asks
    return seen


async def exported(waymark, who: Person) -> set[str]:
    seen = set()
    for stage in ("open", "closed"):
        made = await exports.queue(waymark, who, Asked(stage=stage))
        lines = list(csv.DictReader(io.StringIO(made.body.decode("utf-8-sig"))))
        assert len(lines) == made.count
        seen |= {line["Reference"] for line in lines}
    return seen


async def opened(waymark, who: Person, house: list[One]) -> set[str]:
    seen = set()
    async with waymark.database.reading() as db:
        for number, one in enumerate(house):
            try:
                row = await rows.load(waymark, db, who, Action.OPEN_SUBMISSION, str(number))
                seen.add(row.reference)
            except ReasonNeeded:
                assert one.asks(who)
            except UnknownSubmission:
                assert not one.asks(who)
    return seen


async def they_agree(waymark, house: list[One]) -> None:
    await fill(waymark, house)
    for who in PEOPLE:
        theirs = {reference(n) for n, one in enumerate(house) if one.opens(who)}
        seen, counted = await listed(waymark, who)
        assert seen == theirs
        assert counted == len(theirs)
        assert await found(waymark, who, house) == theirs
        assert (await news(waymark, who, LONG_AGO)).changed == len(theirs)
        assert await opened(waymark, who, house) == theirs
        if who.role is Role.MENTOR:
            with pytest.raises(NotAllowed):
                await exports.queue(waymark, who, Asked())
        else:
            assert await exported(waymark, who) == theirs


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(house=houses)
async def test_every_list_shows_what_opens_and_nothing_else(on_sqlite, house):
    await they_agree(on_sqlite, house)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(house=houses)
async def test_so_it_is_on_postgresql(on_postgres, house):
    await they_agree(on_postgres, house)


# --- The same rule in Python and in SQL ---------------------------------------------------------

facts = st.frozensets(st.sampled_from(list(Fact)), max_size=3)
rules = st.lists(st.builds(When, needs=facts, without=facts), max_size=3).map(tuple)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    # What is nobody's is not their team's either: neither true nor false would be lost in SQL.
    house=[One(None, None, False, "new", "Amber Otter", {}, {})],
    ways=tuple(When(without=frozenset({fact})) for fact in Fact),
)
@given(house=houses, ways=rules)
async def test_any_rule_says_the_same_in_sql_as_in_python(on_sqlite, house, ways):
    await fill(on_sqlite, house)
    async with on_sqlite.database.reading() as db:
        for who in PEOPLE:
            viewer = rows.within(on_sqlite, who, Action.OPEN_SUBMISSION).viewer
            for some in (ways, *((way,) for way in ways)):
                test = Within(viewer, some).test
                by_sql = set(await db.scalars(sa.select(SubmissionRow.id).where(test)))
                by_python = {
                    str(number)
                    for number, one in enumerate(house)
                    if any(way.holds(permissions.facts(who, one.subject())) for way in some)
                }
                assert by_sql == by_python


def test_both_know_the_same_facts():
    assert set(FACTS) == set(Fact)


@given(one=ones, who=st.sampled_from(PEOPLE), action=st.sampled_from(list(Action)))
def test_nothing_can_be_done_to_what_cannot_be_opened(one, who, action):
    ways_in = (Action.GIVE_REASON, Action.BREAK_GLASS)
    if not permissions.RULES[action].of_submissions or action in ways_in:
        return
    if permissions.may(who, action, one.subject()):
        assert one.opens(who)


@given(house=houses, who=st.sampled_from(PEOPLE))
def test_whoever_opens_the_first_opens_what_was_added(house, who):
    for one in (one for one in house if one.first and not one.restricted):
        if permissions.may(who, Action.OPEN_SUBMISSION, one.first.subject()):
            assert permissions.may(who, Action.OPEN_SUBMISSION, one.subject())


@given(one=ones, who=st.sampled_from(PEOPLE))
def test_what_is_offered_to_somebody_would_open_for_them(one, who):
    """Handed over, it is theirs: nobody is offered what they then could not open."""
    theirs = Subject(owner=who.id, team=who.team, restricted=one.restricted)
    assert permissions.may(who, Action.OPEN_SUBMISSION, theirs)
