"""Every address x everyone x whatever the submission is to them, with real requests.

What each may do is written out here once more, by hand: the rules in web/casework/permissions.py
are what is tested, so nothing here is worked out from them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot import erasure
from bot import requests as asking
from bot.erasure import Why
from bot.store import access, attachments, requests, sealing
from bot.store.models import (
    AccessGrant,
    Alert,
    Note,
    Outbox,
    StaffSession,
    SubmissionLink,
    SubmissionRow,
)
from content.schema import Role
from tests.drivers.staff import PASSWORD, Staff
from tests.drivers.waymark import running
from web import demo, doors
from web.app import add_doors
from web.casework import accounts, review
from web.casework.permissions import Person
from web.commands import rights
from web.public import site as told

HEAD, MENTOR = Role.HEADTEACHER, Role.MENTOR
COORDINATORS = (Role.EDUCATION_COORDINATOR, Role.TRANSITION_COORDINATOR)
MINE, OTHERS = "virtual-school", "transitions"

STANDINGS = (
    "own", "linked", "team", "unowned", "other", "reason", "expired", "restricted", "glass",
    "restricted-own", "restricted-linked", "restricted-unowned", "restricted-reason", "none",
)  # fmt: skip
"""What the submission is to whoever asks. `team`: a colleague's. `other`: another team's, as are
`reason` and `expired` (all that once opened it is over). The restricted ones are in their own
team; `glass` is one they broke the glass for. `none`: there is no such submission."""


def for_all(head, coordinators, mentors) -> dict[Role, set | None]:
    return {
        HEAD: head,
        COORDINATORS[0]: coordinators,
        COORDINATORS[1]: coordinators,
        MENTOR: mentors,
    }


EVERY = {*STANDINGS} - {"none"}
BY_NAME = {"own", "linked", "restricted-own", "restricted-linked"}
OPENS = for_all(EVERY, BY_NAME | {"team", "unowned", "reason", "glass"}, BY_NAME)
ASKED_WHY = for_all(set(), {"other", "expired"}, set())

# By what is done: the standings in which each may do it; for whom it is nothing at all, None.
MAY = {
    "open": OPENS,
    "status": for_all(EVERY, BY_NAME | {"team", "unowned", "reason"}, BY_NAME),
    "settle": {**OPENS, MENTOR: None},
    "take": for_all(
        EVERY,
        {"own", "linked", "team", "unowned", "reason", "restricted-own"},
        {"own", "restricted-own"},
    ),
    "assign": for_all(EVERY, {"own", "linked", "team", "unowned"}, None),
    "share": for_all(EVERY, {"own", "team", "unowned"}, None),
    "restrict": for_all(EVERY, None, None),
    "readers": for_all(EVERY, None, None),
    "request": {**OPENS, MENTOR: None},
    "answer": for_all(EVERY, BY_NAME | {"team", "unowned", "reason"}, None),
}


@dataclass(frozen=True)
class Way:
    """One address: what it does, and a form that would do it."""

    does: str
    """A row of MAY; `list`, where it is among others; or a name of its own, see `expected`."""
    fields: dict = field(default_factory=dict)
    query: str = ""


WHY = {"purpose": "cover", "words": "Tamsin is away this week"}
ONE = "/staff/submissions/{id_}"
ASKED = "/staff/requests/{request_id}"
FLOW = "/staff/content/flows/{flow}"
FACT = "/staff/content/facts/{kind}/{row}"
WAYS = {
    "GET /staff": Way("list"),
    "GET /staff/find": Way("list", query="?q={reference}"),
    "GET /staff/queue/new": Way("count", query="?since=2026-01-01T00:00:00Z"),
    "POST /staff/queue/export": Way("export"),
    f"GET {ONE}": Way("open"),
    f"GET {ONE}/files/{{file}}": Way("open"),
    f"GET {ONE}/files/{{file}}/within": Way("open"),
    f"POST {ONE}/take": Way("take", {"version": 1}),
    f"POST {ONE}/assign": Way("assign", {"version": 1, "to": "nobody"}),
    f"GET {ONE}/status": Way("status"),
    f"POST {ONE}/status": Way("status", {"version": 1, "to": "waiting"}),
    f"GET {ONE}/notes": Way("open"),
    f"POST {ONE}/notes": Way("open", {"text": "A note", "once": "1"}),
    f"GET {ONE}/reply": Way("open"),
    f"POST {ONE}/reply": Way("open", {"text": "A reply"}),
    f"POST {ONE}/reply/check": Way("open", {"text": "A reply", "before": 1}),
    f"POST {ONE}/reply/send": Way("open", {"text": "A reply", "before": 99}),
    f"GET {ONE}/share": Way("share"),
    f"POST {ONE}/share": Way("share", {"with": "{far}", "lasts": "week"}),
    f"POST {ONE}/share/stop": Way("share", {"with": "{far}"}),
    f"POST {ONE}/restrict": Way("restrict", {"version": 1, "on": "yes"}),
    "GET /staff/alerts/{id_}": Way("open"),
    "POST /staff/alerts/{id_}": Way(
        "settle",
        {"told": "duty-team", "when": "2026-01-05T10:00", "action": "Rang the duty team"},
    ),
    "POST /staff/alerts/{id_}/look": Way("settle"),
    "POST /staff/alerts/{id_}/second": Way("settle", {"agrees": "yes"}),
    "GET /staff/called": Way("head"),
    "POST /staff/called/test": Way("head"),
    f"GET {ONE}/reason": Way("ask-reason"),
    f"POST {ONE}/reason": Way("give-reason", WHY),
    "GET /staff/break-glass": Way("ask-glass"),
    "POST /staff/break-glass": Way("break-glass", {"reference": "{reference}", **WHY}),
    "POST /staff/notices/{grant}": Way("head"),
    "GET /staff/audit": Way("head"),
    "POST /staff/audit/acknowledge": Way("head-none"),
    "GET /staff/audit/people/{id_}": Way("head"),
    f"GET {ONE}/readers": Way("readers"),
    "GET /staff/requests": Way("leads"),
    f"GET {ONE}/ask": Way("open"),
    f"POST {ONE}/ask": Way("open"),
    f"GET {ASKED}": Way("request"),
    f"POST {ASKED}/put-right": Way("answer"),
    f"POST {ASKED}/refuse": Way("answer"),
    f"POST {ASKED}/send-back": Way("answer"),
    f"POST {ASKED}/propose": Way("answer"),
    f"POST {ASKED}/confirm": Way("answer"),
    f"POST {ASKED}/prepare": Way("answer"),
    f"POST {ASKED}/release": Way("answer"),
    f"GET {ASKED}/copy": Way("answer"),
    f"GET {ASKED}/copy.json": Way("answer"),
    "GET /staff/keeping": Way("leads"),
    f"GET {ONE}/keeping": Way("restrict"),
    f"POST {ONE}/hold": Way("restrict"),
    f"POST {ONE}/hold/lift": Way("restrict"),
    f"POST {ONE}/keep-longer": Way("restrict", {"until": "yesterday"}),
    "GET /staff/receipts": Way("leads"),
    "GET /staff/receipts/{receipt_id}": Way("leads"),
    "GET /staff/content": Way("everyone"),
    f"GET {FLOW}": Way("everyone"),
    f"POST {FLOW}": Way("everyone", {"words": "hello"}, query="?channel=chat"),
    "GET /staff/content/facts": Way("everyone"),
    f"GET {FACT}": Way("everyone"),
    f"POST {FACT}/confirm": Way("head", {"reason": "I rang them"}),
    f"POST {FACT}/take-down": Way("leads", {"reason": "It is wrong"}),
    f"POST {FACT}/restore": Way("head", {"reason": "It is right"}),
    "GET /staff/account": Way("everyone"),
    "POST /staff/account": Way("everyone", {"current": PASSWORD, "new": "short"}),
    "GET /staff/account/sessions": Way("everyone"),
    "POST /staff/account/sessions": Way("everyone", {"which": "none"}),
    "GET /staff/account/authenticator": Way("everyone"),
    "POST /staff/account/authenticator": Way("everyone", {"code": "0"}),
    "GET /staff/account/recovery-codes": Way("everyone"),
    "POST /staff/account/recovery-codes": Way("everyone"),
    "GET /staff/account/confirm": Way("everyone"),
    "POST /staff/account/confirm": Way("everyone", {"password": "guess"}),
    "GET /staff/people": Way("head"),
    "GET /staff/people/{id_}": Way("head"),
    "GET /staff/people/{id_}/role": Way("head"),
    "POST /staff/people/{id_}/role": Way("head", {"role": "mentor"}),
    "GET /staff/people/{id_}/team": Way("head"),
    "POST /staff/people/{id_}/team": Way("head", {"team": "none"}),
    "GET /staff/people/{id_}/switch": Way("head"),
    "POST /staff/people/{id_}/switch": Way("head", {"to": "off"}),
    "GET /staff/people/{id_}/way-in": Way("head"),
    "POST /staff/people/{id_}/way-in": Way("head"),
    "POST /staff/people/{id_}/sessions": Way("head"),
    # Steps of signing in: whoever is in already is sent on.
    "GET /staff/sign-in/code": Way("everyone"),
    "POST /staff/sign-in/code": Way("everyone", {"code": "0"}),
    "GET /staff/sign-in/set-password": Way("everyone"),
    "POST /staff/sign-in/set-password": Way("everyone", {"new": "short"}),
    "GET /staff/sign-in/set-authenticator": Way("everyone"),
    "POST /staff/sign-in/set-authenticator": Way("everyone", {"code": "0"}),
    "POST /staff/sign-out": Way("everyone"),
}
"""Every address under /staff, signed in. A new one without a line here fails the tests."""
SIGNS_OUT = ("POST /staff/sign-out", "POST /staff/people/{id_}/sessions")


def expected(way: Way, role: Role, standing: str) -> str:
    """in, refused, hidden, or asked why."""
    if way.does in ("list", "count", "everyone"):
        return "in"
    if way.does in ("export", "leads"):
        return "refused" if role is MENTOR else "in"
    if way.does == "head":
        return "in" if role is HEAD else "refused"
    if way.does == "head-none":  # there is no such notice
        return "hidden" if role is HEAD else "refused"
    if way.does == "ask-glass":
        return "in" if role in COORDINATORS else "refused"
    if way.does in ("ask-reason", "give-reason", "break-glass"):
        return _by_saying_why(way, role, standing)
    allowed = MAY[way.does][role]
    if allowed is None:
        return "refused"
    if standing in ASKED_WHY[role]:
        return "asked"
    if standing in allowed:
        return "in"
    return "refused" if standing in OPENS[role] else "hidden"


def _by_saying_why(way: Way, role: Role, standing: str) -> str:
    if role not in COORDINATORS:
        return "refused"
    if way.does == "break-glass":
        return "in"  # found or not, open or not: the page is theirs; see the tests of access
    if standing in ("restricted-own", "restricted-linked", "glass") and way.does == "give-reason":
        return "refused"
    return "in" if standing in OPENS[role] | ASKED_WHY[role] else "hidden"


# --- A house to walk through ------------------------------------------------------------------


@pytest.fixture(scope="module")
async def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights")
    async with running(folder) as house:
        everyone = {role: await member(house, role.value, role, MINE) for role in Role}
        mate = await member(house, "mate", Role.EDUCATION_COORDINATOR, MINE)
        far = await member(house, "far", Role.EDUCATION_COORDINATOR, OTHERS)
        answers = {"good": "Canarywords", "unsafe": "yes", "name": "Canaryname"}
        story = demo.Story("my-views-years-7-to-9", 1, answers)
        one = await demo.Sender(house.waymark, "child", story).talk()
        await review.write_note(house.waymark, far, one, "Canarynote", "n")
        await put(house, SubmissionRow, sender="telegram:77", channel="telegram")
        await review.reply(house.waymark, far, one, "Canaryreply", "r", 0)
        (row,) = await found(house, SubmissionRow)
        await attach(house, row.id)
        (alert,) = await found(house, Alert)
        asked, copy, receipt = await informed(house, row, far)
        yield SimpleNamespace(
            running=house, everyone=everyone, mate=mate, far=far, row=row, alert=alert.id,
            asked=asked, copy=copy, receipt=receipt, database=house.database,
        )  # fmt: skip


async def attach(house, submission):
    """A picture with it; what it shows is a canary too."""
    async with house.database.transaction() as db:
        box = await sealing.box(db, f"submission:{submission}")
        what = {
            "id": "file",
            "conversation": "any",
            "submission": submission,
            "question": "show-us",
        }
        what |= {"kind": "picture", "media_type": "image/jpeg", "scan": "clean"}
        await attachments.add(db, box, b"Canaryfile", **what, made_at=house.clock())


async def informed(house, row, far):
    """Somebody asks for its deletion and for a copy, which is prepared; and something is gone."""
    waymark = house.waymark
    async with house.database.transaction() as db:
        for kind in ("deletion", "copy"):
            words = "Canarywish, as they said it"
            await asking.ask(waymark, db, kind, row.id, "web", words=words)
        ids = {one.kind: one.id for one in await requests.of(db, row.id)}
        proposal = {"items": {note.id: None for note in await found(house, Note)}}
        await requests.propose(db, ids["copy"], far.id, proposal, waymark.clock())
        gone = await erasure.conversation(waymark, db, "another", Why("sender", "sender"))
    return ids["deletion"], ids["copy"], gone.receipt


async def member(house, name, role, team):
    async with house.database.transaction() as db:
        email = f"{name}@example.org"
        id_ = await accounts.make(house.waymark, db, name.title(), email, role, team)
    return Person(id_, name.title(), role, team)


async def put(house, table, *where, **values):
    async with house.database.transaction() as db:
        await db.execute(sa.update(table).where(*where).values(**values))


async def found(house, table):
    async with house.database.reading() as db:
        return (await db.execute(sa.select(*table.__table__.columns))).all()


async def place(house, standing, person):
    """Make the submission this to that person."""
    now = house.running.clock()
    over, ahead = now - timedelta(minutes=1), now + timedelta(hours=1)
    restricted = standing.startswith("restricted") or standing == "glass"
    kind = standing.removeprefix("restricted-")
    owner = {"own": person, "unowned": None}.get(
        kind, house.mate if restricted or standing == "team" else house.far
    )
    until = over if standing == "expired" else ahead
    async with house.database.transaction() as db:
        await db.execute(sa.delete(SubmissionLink))
        await db.execute(sa.delete(AccessGrant))
        values = {"owner": owner and owner.id, "team": owner and owner.team}
        values |= {"restricted": restricted, "status": "assigned", "version": 1}
        await db.execute(sa.update(SubmissionRow).values(**values))
        untouched = dict.fromkeys(("seen_at", "seen_by", "action", "taken_at", "taken_by"))
        second = {"proposed_at": now, "proposed_by": house.far.id, "told": ["nobody"]}
        await db.execute(sa.update(Alert).values(**untouched, **second))
        await db.execute(sa.update(Outbox).values(state="failed"))
        one = {"submission": house.row.id, "staff": person.id}
        if kind in ("linked", "expired"):
            link = {**one, "by": house.far.id, "at": now, "until": until}
            await db.execute(sa.insert(SubmissionLink).values(link))
        for given in ("reason", "glass"):
            if kind in (given, "expired"):
                values = {**one, "id": f"{given}-grant", "kind": given, "purpose": "cover"}
                values |= {"given_at": now, "until": until, "seen_at": now}
                await access.grant(db, reason="Canaryreason", **values)


class Desk:
    """Somebody signed in, who asks for addresses as their browser would."""

    def __init__(self, house, person):
        self.house, self.person = house, person
        self.here = Staff(house.running.site)
        self.csrf = ""

    async def sign_in(self):
        async with self.house.database.transaction() as db:
            link = await accounts.new_way_in(self.house.running.waymark, db, self.person.id)
        await self.here.use(link)
        sessions = [s for s in await found(self.house, StaffSession) if s.staff == self.person.id]
        self.csrf = sessions[-1].csrf

    async def ask(self, door, way, standing):
        method, path = door.split(" ", 1)
        address = self.filled(path, standing) + self.filled(way.query, standing)
        if method == "GET":
            return await self.here.http.get(address)
        fields = {name: self.filled(str(v), standing) for name, v in way.fields.items()}
        return await self.here.http.post(address, data={**fields, "csrf": self.csrf})

    def filled(self, text, standing):
        there = standing != "none"
        one = self.house.alert if "/alerts/" in text else self.house.row.id
        reference = self.house.row.reference if there else "VS-0000-0000"
        copy = text.rpartition("/")[2] in ("copy", "copy.json", "prepare", "release")
        asked = self.house.copy if copy else self.house.asked
        one = one if there else "0" * len(one)
        one = self.person.id if "/people/" in text else one
        gaps = {"id_": one, "reference": reference}
        gaps |= {"far": self.house.far.id, "grant": "anything", "file": "file"}
        gaps |= {"receipt_id": self.house.receipt, "flow": "raise-a-concern"}
        gaps |= {"kind": "helpline", "row": "childline"}
        gaps["request_id"] = asked if there else "0" * len(asked)
        return re.sub(r"{(\w+)}", lambda gap: gaps[gap[1]], text)


def outcome(response) -> str:
    to = response.headers.get("location", "")
    if to.startswith("/staff/sign-in?") or response.status_code == 401:
        return "stranger"
    if "/reason" in to or (response.status_code == 403 and "not in your caseload" in response.text):
        return "asked"
    if response.status_code in (200, 303, 422, 429):
        return "in"
    return {403: "refused", 404: "hidden"}.get(response.status_code, str(response.status_code))


def secrets_of(house) -> list[str]:
    words = ["Canarywords", "Canaryname", "Canarynote", "Canaryreply", "Canaryreason"]
    words += ["Canaryfile", "Canarywish"]
    return [house.row.reference, house.row.handle, *words]


def betrayed(house, response, typed: str) -> list[str]:
    """What of the submission the page gives away, beyond what they typed themselves."""
    body = response.text.replace(f'value="{typed}"', "")
    return [word for word in secrets_of(house) if word in body]


# --- The walk -----------------------------------------------------------------------------


def known(house) -> set[str]:
    """Every address under /staff for people who are signed in, as the site itself has them."""
    return {
        f"{method} {door.path}"
        for door in doors.doors(house.running.site)
        if door.path.startswith("/staff") and door.path not in doors.OPEN_TO_STRANGERS
        for method in door.methods
    }


async def test_every_staff_address_is_in_the_table(house):
    assert known(house) == set(WAYS)


@pytest.mark.parametrize("role", list(Role))
async def test_every_address_for_this_role_whatever_the_submission_is_to_them(house, role):
    person = house.everyone[role]
    desk, tried, came = Desk(house, person), 0, Counter()
    await desk.sign_in()
    for standing in STANDINGS:
        changed = True
        for door in sorted(known(house)):
            if changed:
                await place(house, standing, person)
            way = WAYS[door]
            response = await desk.ask(door, way, standing)
            got, wanted = outcome(response), expected(way, role, standing)
            assert got == wanted, (door, standing, response.status_code, response.text[-900:])
            _nothing_slips(house, door, way, role, standing, response)
            if door in SIGNS_OUT and got == "in":
                await desk.sign_in()
            changed = door.startswith("POST") and got == "in"
            came[got] += 1
            tried += 1
    assert tried == len(WAYS) * len(STANDINGS) >= 400
    assert came["in"] > 60, came
    assert came["refused"] > (50 if role is not HEAD else 30), came
    assert came["hidden"] >= (14 if role is HEAD else 60), came


def _nothing_slips(house, door, way, role, standing, response):
    if standing == "none" and role is HEAD:
        return  # it is there, and theirs to see; only what they asked for was not
    theirs = standing in OPENS[role]
    typed = house.row.reference if way.query or way.does == "break-glass" else "-"
    slipped = betrayed(house, response, typed)
    if not theirs or outcome(response) != "in":
        assert not slipped, (door, standing, slipped)
    elif way.does in ("list", "export"):
        assert house.row.reference in slipped, (door, standing)
    elif way.does == "count":
        assert response.json() == {"changed": 1, "alerts": 1}
    elif "/files/" in door:
        assert slipped == (["Canaryfile"] if response.status_code == 200 else []), (door, standing)
    elif way.does == "open" and response.status_code == 200:
        assert house.row.handle in slipped, (door, standing)
    if way.does == "count" and not theirs:
        assert response.json() == {"changed": 0, "alerts": 0}


async def test_a_stranger_gets_nothing_but_the_way_to_sign_in(house):
    stranger, tried = Desk(house, house.everyone[HEAD]), 0
    for door in sorted(known(house)):
        for standing in ("unowned", "none"):
            response = await stranger.ask(door, WAYS[door], standing)
            assert outcome(response) == "stranger" or response.status_code == 303, door
            assert response.headers.get("location", "/staff/sign-in").startswith("/staff/sign-in")
            assert not betrayed(house, response, "-"), door
            tried += 1
    assert tried == 2 * len(WAYS) >= 58


async def test_what_is_kept_from_somebody_answers_as_what_never_was(house):
    """To the letter, wherever they ask: the two can't be told apart."""
    tried = 0
    for role in (Role.EDUCATION_COORDINATOR, MENTOR):
        desk = Desk(house, house.everyone[role])
        await desk.sign_in()
        for door in sorted(known(house) - {"POST /staff/sign-out", "POST /staff/break-glass"}):
            pages = []
            for standing in ("restricted", "none"):
                await place(house, standing, desk.person)
                response = await desk.ask(door, WAYS[door], standing)
                pages.append(_bare(house, response, desk))
            if WAYS[door].does not in ("list", "count", "export"):
                assert pages[0] == pages[1], door
            tried += 1
    assert tried == 2 * (len(WAYS) - 2)


def _bare(house, response, desk):
    """A page without what is new on every page, or was asked for in the address."""
    new = (
        r'nonce="[^"]+"|name="once" value="\w+"|<li>[0-9A-Z-]{14}</li>'  # the last: recovery codes
    )
    body = re.sub(new, "", response.text)
    ids = (house.row.id, house.alert, house.asked, house.copy)
    for said in (*ids, "0" * 32, "0" * 24):
        body = body.replace(said, "")
    headers = {n: v for n, v in response.headers.items() if "security-policy" not in n}
    return response.status_code, body, {**headers, "content-length": ""}


async def test_what_is_kept_from_somebody_takes_as_long_as_what_never_was(house):
    """The very same statements, so that no clock can tell them apart."""
    desk, said = Desk(house, house.everyone[MENTOR]), []
    await desk.sign_in()
    for engine in {house.database._reads, house.database._writes}:
        listened = (engine.sync_engine, "before_cursor_execute")
        sa.event.listen(*listened, lambda _, cursor, words, *rest: said.append(words))
    for path in ("/staff/submissions/{id_}", "/staff/submissions/{id_}/notes"):
        done = []
        for standing in ("restricted", "other", "none"):
            await place(house, standing, desk.person)
            said.clear()
            assert (await desk.ask(f"GET {path}", WAYS[f"GET {path}"], standing)).status_code == 404
            done.append(list(said))
        assert len(done[0]) > 3
        assert done[0] == done[1] == done[2]


async def test_finding_tells_what_is_kept_from_them_in_no_way_from_what_is_not(house):
    for role in (Role.EDUCATION_COORDINATOR, MENTOR):
        desk = Desk(house, house.everyone[role])
        await desk.sign_in()
        pages = []
        for typed in (house.row.reference, "VS-0000-0000", house.row.handle):
            await place(house, "restricted", desk.person)
            response = await desk.here.http.get("/staff/find", params={"q": typed})
            body = re.sub(r'nonce="[^"]+"', "", response.text)
            pages.append(body.replace(f'value="{typed}"', ""))
        assert pages[0] == pages[1] == pages[2]


async def test_an_alert_on_what_was_not_sent_is_for_those_who_lead(house):
    story = demo.Story("my-views-years-7-to-9", 1, {"unsafe": "yes"}, until="with-you")
    assert await demo.Sender(house.running.waymark, "draft", story).talk() is None
    (draft,) = [alert for alert in await found(house, Alert) if alert.submission is None]
    got = {}
    for role in Role:
        desk = Desk(house, house.everyone[role])
        await desk.sign_in()
        listed = await desk.here.http.get("/staff")
        shown = await desk.here.http.get(f"/staff/alerts/{draft.id}")
        got[role] = (draft.id in listed.text, shown.status_code)
    async with house.database.transaction() as db:
        await db.execute(sa.delete(Alert).where(Alert.id == draft.id))
    seen, kept = (True, 200), (False, 404)
    assert got == for_all(seen, seen, kept)


async def test_no_page_without_sign_in_tells_of_a_submission_whoever_asks(house):
    tried = 0
    for role in (None, *Role):
        desk = Desk(house, house.everyone[role or HEAD])
        if role:
            await desk.sign_in()
        for door in doors.doors(house.running.site):
            if door.actions:
                continue
            gaps = {"conversation": house.row.conversation, "flow": house.row.flow}
            path = re.sub(r"{(\w+)}", lambda gap, gaps=gaps: gaps.get(gap[1], "name"), door.path)
            for method in door.methods:
                response = await desk.here.http.request(method, path)
                assert not betrayed(house, response, "-"), (door, role)
                assert response.status_code < 500, door
                tried += 1
    assert tried >= 5 * 35


# --- Doors without a rule ---------------------------------------------------------------------


def built() -> FastAPI:
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_doors(site)
    return site


def test_every_address_states_its_rule():
    assert doors.unstated(built()) == []
    assert len(doors.doors(built())) > 60


async def nothing() -> str:
    return "anybody could read this"


async def plain(request) -> PlainTextResponse:
    return PlainTextResponse("anybody could read this")


def _mounted() -> Starlette:
    return Starlette(routes=[Route("/inside", plain)])


def _router() -> APIRouter:
    router = APIRouter(prefix="/more")
    router.add_api_route("/inner", nothing, methods=["POST"])
    outer = APIRouter()
    outer.include_router(router)
    return outer


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (lambda site: site.get("/staff/planted")(nothing), "GET /staff/planted"),
        (lambda site: site.get("/planted")(nothing), "GET /planted"),
        (
            lambda site: site.add_api_route("/staff/api", nothing, methods=["GET", "HEAD"]),
            "GET, HEAD /staff/api",
        ),
        (lambda site: site.head("/staff/head")(nothing), "HEAD /staff/head"),
        (lambda site: site.include_router(_router()), "POST /more/inner"),
        (lambda site: site.include_router(_router(), prefix="/staff"), "POST /staff/more/inner"),
        (lambda site: site.mount("/staff/app", _mounted()), "ANY /staff/app/inside"),
        (lambda site: site.mount("/other", plain), "ANY /other"),
        (lambda site: site.add_route("/plain", plain), "ANY /plain"),
        (lambda site: site.websocket("/staff/live")(nothing), "ANY /staff/live"),
        (lambda site: site.frontend("/files", directory="docs"), "ANY /..."),
        (
            # Open to all, it says; but no staff page is, unless it is listed as one.
            lambda site: site.include_router(told.router, prefix="/staff"),
            "GET /staff/help-now",
        ),
    ],
)
def test_an_address_without_a_rule_is_found(plant, named):
    site = built()
    plant(site)
    assert named in doors.unstated(site)


async def test_the_site_does_not_start_with_one(tmp_path, monkeypatch):
    monkeypatch.setattr("web.app.public.router", _router())
    with pytest.raises(RuntimeError, match="POST /more/inner"):
        async with running(tmp_path):
            pass


async def test_nor_with_one_that_was_added_after_it_was_built(tmp_path):
    from web.app import create_app

    async with running(tmp_path / "first") as house:
        site = create_app(house.waymark, house.channel)
    site.get("/staff/planted")(nothing)
    with pytest.raises(RuntimeError, match="GET /staff/planted"):
        async with site.router.lifespan_context(site):
            pass


# --- The printed matrix -----------------------------------------------------------------------


def test_the_printed_rights_are_those_of_the_code():
    from pathlib import Path

    printed = (Path(__file__).parent.parent / "docs/rights.md").read_text()
    assert printed == rights.page(), "run: waymark rights > docs/rights.md"
    assert {door for door in WAYS if f"`{door}`" not in printed} == set()
