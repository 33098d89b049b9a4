"""Every route in every kind of answer has the same exact headers; reading changes nothing."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bot.store.database import metadata
from tests.drivers.house import furnished, routes
from tests.drivers.waymark import running
from tests.headers import sound
from tests.public import break_commits
from web import gate
from web.api.telegram import SECRET

HERE = "https://voice.example.org"
METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path, public_address=HERE) as site:
        yield await furnished(site)


def answers_of(house):
    """The clients whose every request is to be looked at."""
    return (house.stranger.http, house.writing.http, house.reading.http, house.staff.http)


async def test_every_route_in_every_way_has_the_same_headers(house):
    codes = set()
    for door in routes(house.running.site):
        asked = [(client, method) for client in answers_of(house) for method in ("GET", "POST")]
        asked += [(house.stranger.http, method) for method in METHODS]
        for client, method in asked:
            response = await client.request(method, house.address(door.path))
            sound(response, secure=True)
            codes.add(response.status_code)
    assert {200, 303, 403, 404, 405, 422} <= codes
    assert 500 not in codes


async def test_every_kind_of_answer_has_the_same_headers(house, monkeypatch):
    writing, stranger, staff = house.writing.http, house.stranger.http, house.staff.http
    page = f"/form/{house.writing.id}/harm"
    hook = {SECRET: "the-secret"}
    colours = await stranger.get("/static/waymark.css")
    kinds = {
        "page": (200, await writing.get(page)),
        "redirect": (303, await writing.get(f"/form/{house.writing.id}")),
        "slash": (308, await stranger.get("/reply/")),
        "file": (200, colours),
        "file kept": (
            304,
            await stranger.get(
                "/static/waymark.css", headers={"if-none-match": colours.headers["etag"]}
            ),
        ),
        "no file": (404, await stranger.get("/static/none.css")),
        "file above": (404, await stranger.get("/static/..%2fapp.py")),
        "colours": (200, await stranger.get("/brand.css")),
        "unheard": (
            400,
            await writing.post(
                page, content=b"x", headers={"content-type": "multipart/form-data; boundary="}
            ),
        ),
        "signed out": (401, await stranger.post("/staff/submissions/x/notes", data={"text": "x"})),
        "other site": (403, await writing.post(page, headers={"sec-fetch-site": "cross-site"})),
        "unknown": (404, await stranger.get("/nowhere")),
        "unknown to staff": (404, await staff.get("/staff/nowhere")),
        "method": (405, await stranger.request("BREW", "/")),
        "too big": (413, await writing.post(page, data={"answer": "x" * 300_000})),
        "not an answer": (422, await writing.post(page, data={"answer": "purple"})),
        "field": (422, await staff_form(house, version="£")),
        "said so": (204, await stranger.post("/csp-report", content=b"{}")),
        "hook": (200, await stranger.post("/telegram/webhook", json=start(), headers=hook)),
        "hook, unknown": (403, await stranger.post("/telegram/webhook", json={})),
        "hook, junk": (400, await stranger.post("/telegram/webhook", json={}, headers=hook)),
    }
    monkeypatch.setattr(gate, "PATIENCE", 0.05)
    kinds["slow"] = (408, await writing.post(page, content=trickle(), headers=FORM))
    monkeypatch.undo()
    break_commits(monkeypatch)
    kinds["broken"] = (500, await writing.post(page, data={"answer": "no"}))
    kinds["hook, broken"] = (
        500,
        await stranger.post("/telegram/webhook", json=start(), headers=hook),
    )
    for kind, (status, response) in kinds.items():
        assert response.status_code == status, kind
        sound(response, secure=True)


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def trickle():
    yield b"answer="
    await asyncio.sleep(5)
    yield b"no"


async def staff_form(house, **fields):
    """A staff form with a field that can't be read."""
    address = f"/staff/submissions/{house.ids['submissions/id_']}/take"
    await house.staff.open(house.ids["submissions/id_"])
    token = house.staff.form("/take").select_one("[name=csrf]")["value"]
    return await house.staff.http.post(address, data={"csrf": token, **fields})


def start():
    chat = {"id": 77, "type": "private"}
    sender = {"id": 77, "is_bot": False, "first_name": "A"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": sender, "text": "/start"}
    return {"update_id": 77, "message": message}


@pytest.mark.parametrize("secure", [True, False])
async def test_a_secure_site_answers_to_its_own_name_only(secure, tmp_path):
    address = {"public_address": HERE} if secure else {}
    async with running(tmp_path, **address) as site, site.http() as http:
        for host, answered in {
            "voice.example.org": True,
            "VOICE.example.org:443": True,
            "localhost:8000": True,
            "[::1]:8000": True,
            "evil.example": not secure,
            "voice.example.org.evil.example": not secure,
            "voice.example.org@evil.example": False,
            "evil example": False,
            "[::": False,
            "a\\b": False,
            "": False,
        }.items():
            response = await http.get("/reply/", headers={"host": host})
            sound(response, secure)
            assert (response.status_code == 308) == answered, host
            assert "evil" not in response.text
            assert response.headers.get("location", "/reply") == "/reply"


async def test_what_a_field_held_is_not_said_back(house):
    response = await staff_form(house, version="CANARY")
    assert response.status_code == 422
    assert "That could not be read" in response.text
    assert "CANARY" not in response.text


async def test_whoever_leaves_leaves_nothing_in_the_browser(house):
    await house.staff.go("/staff")
    leave = house.staff.form("/staff/sign-out").select_one("[name=csrf]")["value"]
    left = await house.staff.http.post("/staff/sign-out", data={"csrf": leave})
    closed = await house.reading.http.post("/reply/close")
    deleted = await house.writing.http.get("/deleted")
    for response in (left, closed, deleted):
        sound(response, secure=True)
        assert response.headers["clear-site-data"] == '"cache", "storage"'
    assert "waymark-staff" not in dict(house.staff.http.cookies)
    read = await house.reading.http.get("/reply/read")
    assert read.headers["location"] == "/reply"


# --- Where a form comes from ----------------------------------------------------------------


OWN = {"origin": "http://127.0.0.1:8000"}
OURS = (
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "origin": "null"},
    {"sec-fetch-site": "same-origin", **OWN},
    {"sec-fetch-site": "none"},
    OWN,
)
THEIRS = (
    {},
    {"origin": "null"},
    {"origin": "http://evil.example"},
    {"origin": "http://127.0.0.1:8000.evil.example"},
    {"origin": "http://127.0.0.1:8001"},
    {"sec-fetch-site": "same-site", **OWN},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site", **OWN},
    {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
    {"sec-fetch-site": ""},
)


async def test_only_our_own_pages_may_send_us_forms(form):
    await form.begin("raise-a-concern")
    form.http.headers.pop("sec-fetch-site")
    for headers in (*THEIRS, *OURS):
        posted = await form.http.post(form.page.path, data={"answer": "no"}, headers=headers)
        assert posted.status_code == (422 if headers in OURS else 403), headers


async def test_every_route_that_takes_a_form_asks_where_it_comes_from(house):
    tried = 0
    for door in routes(house.running.site):
        if "POST" in door.methods and door.path not in FROM_PROGRAMS:
            for client in answers_of(house):
                evil = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
                response = await client.post(house.address(door.path), headers=evil)
                assert response.status_code == 403, door
                tried += 1
    assert tried > 60


FROM_PROGRAMS = ("/telegram/webhook", "/csp-report")
"""Not sent by a page: one shows a secret, the other changes nothing."""


# --- Reading changes nothing ----------------------------------------------------------------

SEEN = {
    "audit",  # what was looked at, and by whom
    "audit_head.seq",
    "audit_head.mac",
    "audit_head.last",
    "staff_session.seen_at",
    "staff_session.offered",  # a key for an app, shown to be taken up with a form
    "submission.unread",
    "reply.read_at",
    "outbox.state",  # a reply read here need not be sent any more
    "outbox.done_at",
    "sign_in_link.key",  # a demonstration's
}
"""Columns (or whole tables) that note that somebody looked. Everything else must stay."""


async def everything(running):
    """Every row of every table, by table and primary key."""
    async with running.database.reading() as db:
        return {
            table.name: {
                tuple(row[column.name] for column in table.primary_key): dict(row)
                for row in (await db.execute(sa.select(table))).mappings()
            }
            for table in metadata().sorted_tables
        }


def changed(before, after):
    """What is not as it was, as `table.column`; `table` for a row come or gone."""
    found = set()
    for table, rows in after.items():
        if before[table].keys() != rows.keys():
            found.add(table)
        for key in before[table].keys() & rows.keys():
            row, was = rows[key], before[table][key]
            found |= {f"{table}.{name}" for name in row if row[name] != was[name]}
    return found


async def test_looking_at_pages_changes_nothing(house):
    before = await everything(house.running)
    looked = 0
    for door in routes(house.running.site):
        if "GET" in door.methods:
            for client in answers_of(house):
                response = await client.get(house.address(door.path))
                looked += response.status_code == 200
    assert looked > 50
    different = changed(before, await everything(house.running))
    assert "audit" in different, "nothing was really looked at"
    assert {name for name in different if name not in SEEN} == set()


async def test_a_page_that_changes_something_is_noticed(house):
    before = await everything(house.running)
    await house.writing.choose("harm", "no")
    different = changed(before, await everything(house.running))
    assert {"inbox", "conversation.revision"} <= different


# --- Reports --------------------------------------------------------------------------------


async def test_a_browsers_report_is_counted_and_never_written_out(house, caplog):
    told = {"document-uri": f"{HERE}/form/CANARY", "blocked-uri": "https://CANARY.example"}
    for directive in ["script-src-elem"] * 150 + ["CANARY", None, ["CANARY"]]:
        report = {"csp-report": {**told, "effective-directive": directive}}
        response = await house.stranger.http.post("/csp-report", json=report)
        assert response.status_code == 204
    for junk in (b"", b"[", b"[" * 9000, b'"x"', b"\xff", b"x" * 20_000):
        response = await house.stranger.http.post("/csp-report", content=junk)
        assert response.status_code == 204
    lines = [r for r in caplog.records if r.message == "refused by a browser"]
    assert [(r.directive, r.count) for r in lines] == [
        ("script-src-elem", 1), ("script-src-elem", 101), ("unclear", 1),
    ]  # fmt: skip
    assert "CANARY" not in caplog.text
