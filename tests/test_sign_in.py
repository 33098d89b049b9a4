"""Local accounts: a password and a code; sessions seen and ended; who has an account."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated

import pyotp
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from argon2 import PasswordHasher
from fastapi import Depends

from bot.store import staff as store
from bot.store.database import MIGRATIONS
from bot.store.models import Attempt, Audit, RecoveryCode, StaffSession
from bot.store.models import Staff as StaffRow
from content.schema import Role
from tests.browser import accessibility_faults
from tests.drivers.staff import PASSWORD, Staff
from tests.drivers.waymark import running, served, wired
from web import demo, doors
from web.casework import accounts, password_rules, passwords, sessions, unused
from web.casework.browsers import family
from web.casework.password_rules import BadPassword
from web.casework.permissions import Action, Person
from web.staff import guard

POLL = guard.allowed(Action.OWN_ACCOUNT, touch=False)
HALF_MINUTE = timedelta(seconds=30)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:151.0) Gecko/20100101 Firefox/151.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/20.1 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


async def rows(house, table, *where):
    async with house.database.reading() as db:
        return (await db.execute(sa.select(*table.__table__.columns).where(*where))).all()


async def link_for(house, name="Ann", role=Role.HEADTEACHER, **more):
    return await accounts.add(house.waymark, name, f"{name.casefold()}@example.org", role, **more)


async def at_desk(house, name="Ann", role=Role.HEADTEACHER, agent=FIREFOX) -> Staff:
    here = Staff(house.site)
    here.http.headers["user-agent"] = agent
    return await here.use(await link_for(house, name, role))


async def id_of(house, name="Ann"):
    (row,) = await rows(house, StaffRow, StaffRow.email == f"{name.casefold()}@example.org")
    return row.id


async def in_a_new_browser(house, like: Staff, email="ann@example.org", agent=IPHONE) -> Staff:
    house.clock.forward(HALF_MINUTE)
    there = Staff(house.site)
    there.http.headers["user-agent"] = agent
    there.key, there._step = like.key, like._step
    return await there.sign_in(email, PASSWORD)


def heading(here: Staff) -> str:
    return here.page.h1.get_text(strip=True)


# --- The first sign-in ----------------------------------------------------------------------


async def test_a_first_sign_in_sets_a_password_and_an_app_and_shows_recovery_codes(house):
    ann = Staff(house.site)
    link = await link_for(house)
    await ann.go(link)
    await ann.send(link.removeprefix("http://127.0.0.1:8000"))
    assert ann.path == "/staff/sign-in/set-password"
    await ann.send("/set-password", new=PASSWORD)
    assert ann.path == "/staff/sign-in/set-authenticator"
    assert ann.page.select_one(".staff-qr svg title")
    first = ann.page.select_one(".staff-key").get_text()
    await ann.send("/set-authenticator", code="000000")
    assert ann.status == 422
    assert ann.page.select_one(".staff-key").get_text() == first, "the app was told this one"
    await ann.set_app("/set-authenticator")
    assert heading(ann) == "Your recovery codes"
    assert len(set(ann.codes)) == 10
    assert (await ann.go("/staff")).path == "/staff"


async def test_until_all_is_done_no_other_page_opens(house):
    ann = Staff(house.site)
    link = await link_for(house)
    await ann.post(link.removeprefix("http://127.0.0.1:8000"), {})
    for address in ("/staff", "/staff/people", "/staff/account", "/staff/sign-in/code"):
        assert (await ann.go(address)).path == "/staff/sign-in/set-password"
    await ann.send("/set-password", new=PASSWORD)
    for address in ("/staff", "/staff/account/sessions", "/staff/sign-in/set-password"):
        assert (await ann.go(address)).path == "/staff/sign-in/set-authenticator"
    await ann.sign_out()
    assert heading(ann) == "You are signed out"
    # The password alone leads to the same place, and no further.
    await ann.sign_in("ann@example.org", PASSWORD)
    assert ann.path == "/staff/sign-in/set-authenticator"
    house.clock.forward(timedelta(minutes=11))
    assert (await ann.go("/staff")).path == "/staff/sign-in"


async def test_in_the_demo_one_thing_is_enough_and_the_page_says_so(tmp_path, monkeypatch):
    async def no_stories(waymark) -> None: ...

    monkeypatch.setattr(demo, "prepare", no_stories)
    async with running(tmp_path, demo=True) as house:
        here = Staff(house.site)
        link = await link_for(house)
        await here.go(link)
        await here.send(link.removeprefix("http://127.0.0.1:8000"))
        assert here.path == "/staff"
        await here.go("/staff/account")
        assert "In the demonstration nobody needs one" in here.text
        house.clock.forward(timedelta(minutes=20))
        await here.go(f"/staff/people/{await id_of(house)}/role")
        assert here.status == 200
        assert "confirm" not in here.path


async def test_the_secret_of_an_app_is_sealed_and_recovery_codes_are_digests(house):
    ann = await Staff(house.site).begin(await link_for(house))
    (row,) = await rows(house, StaffRow)
    kept = repr(await rows(house, RecoveryCode)) + repr(row) + repr(await rows(house, StaffSession))
    assert ann.key not in kept
    assert row.totp
    assert not any(code in kept or code.replace("-", "") in kept for code in ann.codes)
    assert ann.key not in repr(await rows(house, Audit))


# --- Codes ----------------------------------------------------------------------------------


async def at_the_code(house, like: Staff) -> Staff:
    there = Staff(house.site)
    await there.sign_in("ann@example.org", PASSWORD)
    assert there.path == "/staff/sign-in/code"
    return there


async def test_a_code_is_taken_once(house):
    ann = await at_desk(house)
    house.clock.forward(HALF_MINUTE)
    code = ann.code()
    first, second = await at_the_code(house, ann), await at_the_code(house, ann)
    await first.send("/code", code=code)
    assert first.path == "/staff"
    await second.send("/code", code=code)
    assert second.status == 422
    assert "or was used before" in second.text
    assert (await second.go("/staff")).path == "/staff/sign-in/code"


async def test_a_code_from_before_one_that_was_taken_is_refused(house):
    ann = await at_desk(house)
    house.clock.forward(HALF_MINUTE * 2)
    now = int(house.clock.at.timestamp()) // 30
    there = await at_the_code(house, ann)
    await there.send("/code", code=pyotp.TOTP(ann.key).generate_otp(now))
    assert there.path == "/staff"
    other = await at_the_code(house, ann)
    await other.send("/code", code=pyotp.TOTP(ann.key).generate_otp(now - 1))
    assert other.status == 422


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_half_a_minute(house, steps, taken):
    ann = await at_desk(house)
    house.clock.forward(timedelta(minutes=5))
    now = int(house.clock.at.timestamp()) // 30
    there = await at_the_code(house, ann)
    code = pyotp.TOTP(ann.key).generate_otp(now + steps)
    await there.send("/code", code=f"{code[:3]} {code[3:]}")
    assert (there.path == "/staff") is taken


@pytest.mark.parametrize("code", ["", "000000", "é", "١٢٣٤٥٦", "0" * 99, "null", "-1"])
async def test_odd_codes_are_refused_kindly(house, code):
    ann = await at_desk(house)
    there = await at_the_code(house, ann)
    await there.send("/code", code=code)
    assert there.status == 422
    assert "That code is not right" in there.text


async def test_after_five_wrong_codes_the_right_one_has_to_wait(house):
    ann = await at_desk(house)
    there = await at_the_code(house, ann)
    for _ in range(5):
        await there.send("/code", code="000000")
    house.clock.forward(HALF_MINUTE)
    await there.send("/code", code=ann.code())
    assert there.status == 429
    assert "the next try counts after" in there.text
    elsewhere = await at_the_code(house, ann)
    assert (await elsewhere.send("/code", recovery="AAAA-AAAA-AAAA")).status == 429
    house.clock.forward(timedelta(minutes=16))
    again = await at_the_code(house, ann)
    assert (await again.send("/code", code=ann.code())).path == "/staff"
    assert await rows(house, Attempt, Attempt.what.startswith("second-factor")) == []


async def test_a_recovery_code_opens_once_however_it_is_typed(house):
    ann = await Staff(house.site).begin(await link_for(house))
    typed = ann.codes[3].lower().replace("-", " ")
    there = await at_the_code(house, ann)
    await there.send("/code", recovery=typed)
    assert there.path == "/staff"
    await there.go("/staff/account")
    assert "You have 9 recovery codes left" in there.text
    other = await at_the_code(house, ann)
    assert (await other.send("/code", recovery=typed)).status == 422
    (refused,) = await rows(house, Audit, Audit.outcome == "refused")
    assert (refused.action, refused.detail) == ("staff.sign-in-refused", {"wrong": "code"})
    (used,) = await rows(house, Audit, Audit.action == "staff.recovery-code-used")
    assert used.detail == {"left": 9}


async def test_a_recovery_code_of_somebody_else_opens_nothing(house):
    ann = await Staff(house.site).begin(await link_for(house))
    bob = await Staff(house.site).begin(await link_for(house, "Bob"))
    there = await at_the_code(house, ann)
    assert (await there.send("/code", recovery=bob.codes[0])).status == 422
    assert len(await rows(house, RecoveryCode)) == 20


async def test_new_recovery_codes_end_the_old_ones(house):
    ann = await Staff(house.site).begin(await link_for(house))
    old = ann.codes
    await ann.go("/staff/account/recovery-codes")
    await ann.send("/recovery-codes")
    new = [item.get_text() for item in ann.page.select(".staff-codes li")]
    assert len(new) == 10
    assert not set(new) & set(old)
    there = await at_the_code(house, ann)
    assert (await there.send("/code", recovery=old[0])).status == 422
    assert (await there.send("/code", recovery=new[0])).path == "/staff"


async def test_another_phone_takes_the_place_of_the_old_one(house):
    ann = await at_desk(house)
    there = await in_a_new_browser(house, ann)
    old = ann.key
    house.clock.forward(HALF_MINUTE)
    await ann.go("/staff/account/authenticator")
    await ann.set_app("/authenticator")
    assert ann.key != old
    assert (await ann.go("/staff")).path == "/staff"
    assert (await there.go("/staff")).path == "/staff/sign-in", "out everywhere else"
    house.clock.forward(HALF_MINUTE)
    other = await at_the_code(house, ann)
    await other.send("/code", code=pyotp.TOTP(old).at(int(house.clock.at.timestamp())))
    assert other.status == 422


async def test_after_a_lost_password_the_code_is_still_asked_for(house):
    ann = await Staff(house.site).begin(await link_for(house))
    house.clock.forward(HALF_MINUTE)
    there = Staff(house.site)
    link = await link_for(house)
    await there.go(link)
    await there.send(link.removeprefix("http://127.0.0.1:8000"))
    assert there.path == "/staff/sign-in/code"
    await there.send("/code", code=ann.code())
    assert there.path == "/staff/sign-in/set-password"
    await there.send("/set-password", new="lemon river seven")
    assert there.path == "/staff"


async def test_with_a_lost_phone_an_app_is_set_up_anew(house):
    await Staff(house.site).begin(await link_for(house))
    there = Staff(house.site)
    link = await link_for(house, new_phone=True)
    await there.go(link)
    await there.send(link.removeprefix("http://127.0.0.1:8000"))
    assert there.path == "/staff/sign-in/set-password"
    await there.take_step()
    assert there.path == "/staff/sign-in/set-authenticator"


# --- Passwords ------------------------------------------------------------------------------

ABOUT = ("Ann Makebelieve", "ann@example.org", "Staffordshire County Council")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "8 characters or more"),
        ("x" * 129, "128 characters or fewer"),
        ("password123!", "guessed quickly"),
        ("qwertyuiop12", "guessed quickly"),
        ("abababababab", "guessed quickly"),
        ("11111111", "guessed quickly"),
        ("Iloveyou1", "guessed quickly"),
        ("Staffordshire2026!", "council's name"),
        ("ann@example.org", "your email address"),
        ("MakebelieveAnn1", "your name"),
    ],
)
async def test_what_would_be_tried_first_is_refused(password, said):
    with pytest.raises(BadPassword, match=said):
        await password_rules.check(password, ABOUT, None)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "lemon river seven",
        "Wq7$kk2pLx",
        "ÆØÅ æøå åøæ",
        "日本語のパスワード長い",
        "lemon" + " river seven" * 10,
    ],
)
async def test_nothing_is_asked_but_that_it_is_hard_to_guess(password):
    await password_rules.check(password, ABOUT, None)


@pytest.mark.parametrize("ending", ["\n", ":12\r\n"])
@pytest.mark.parametrize("lines", [1, 2, 500])
async def test_stolen_passwords_are_found_in_a_file_of_them(tmp_path, lines, ending):
    stolen = [f"lemon river number {n}" for n in range(lines)]
    digests = sorted(hashlib.sha1(s.encode()).hexdigest().upper() for s in stolen)
    path = tmp_path / "stolen.txt"
    path.write_bytes("".join(d + ending for d in digests).encode())
    for password in (stolen[0], stolen[-1], stolen[lines // 2]):
        with pytest.raises(BadPassword, match="stolen"):
            await password_rules.check(password, ABOUT, path)
    for n in range(20):
        await password_rules.check(f"another river number {n}", ABOUT, path)


async def test_a_stolen_password_is_refused_at_the_first_sign_in(tmp_path):
    path = tmp_path / "stolen.txt"
    path.write_text(hashlib.sha1(b"lemon river seven").hexdigest().upper() + ":3\n")
    async with running(tmp_path, breached_passwords=path) as house:
        ann = Staff(house.site)
        link = await link_for(house)
        await ann.post(link.removeprefix("http://127.0.0.1:8000"), {})
        await ann.send("/set-password", new="lemon river seven")
        assert ann.status == 422
        assert "list of stolen passwords" in ann.text
        assert "lemon" not in ann.response.text


async def test_somebody_at_an_open_desk_can_not_try_passwords_for_ever(house):
    ann = await at_desk(house)
    for _ in range(5):
        await ann.go("/staff/account")
        await ann.send("/staff/account", current="guess", new="lemon river seven")
        assert ann.status == 422
    await ann.go("/staff/account")
    await ann.send("/staff/account", current=PASSWORD, new="lemon river seven")
    assert ann.status == 429


# --- Sessions -------------------------------------------------------------------------------


async def test_a_new_key_at_every_step_of_signing_in(house):
    """A key that somebody planted before is never one that opens anything."""
    seen = []
    ann = await at_desk(house)
    house.clock.forward(HALF_MINUTE)
    there = Staff(house.site)
    await there.sign_in("ann@example.org", PASSWORD)
    seen.append(there.http.cookies["waymark-staff"])
    half = Staff(house.site)
    half.http.cookies.set("waymark-staff", seen[0])
    await there.send("/code", code=ann.code())
    seen.append(there.http.cookies["waymark-staff"])
    assert len(set(seen)) == 2
    assert (await half.go("/staff")).path == "/staff/sign-in"


async def test_one_sees_where_one_is_signed_in_and_ends_the_others(house):
    ann = await at_desk(house)
    phone = await in_a_new_browser(house, ann)
    third = await in_a_new_browser(house, phone, agent="curl/8")
    await ann.go("/staff/account/sessions")
    items = [" ".join(item.text.split()) for item in ann.page.select(".staff-sessions li")]
    assert len(items) == 3
    assert items[0].startswith("Firefox on Windows This one")
    assert [i.split(" Signed")[0] for i in items[1:]] == ["A browser", "Safari on an iPhone"]
    assert "Mozilla" not in repr(await rows(house, StaffSession))
    form = ann.page.select(".staff-sessions form")[1]
    which = form.select_one("input[name=which]")["value"]
    await ann.post("/staff/account/sessions", {"csrf": _csrf(ann), "which": which})
    assert "whoever used it is signed out" in ann.text
    assert (await phone.go("/staff")).path == "/staff/sign-in"
    assert (await third.go("/staff")).path == "/staff"
    await ann.go("/staff/account/sessions")
    await ann.post("/staff/account/sessions", {"csrf": _csrf(ann), "which": "others"})
    assert (await third.go("/staff")).path == "/staff/sign-in"
    assert (await ann.go("/staff")).path == "/staff"


def _csrf(here: Staff) -> str:
    return here.page.select_one("input[name=csrf]")["value"]


async def test_nobody_ends_a_session_that_is_not_theirs(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    where = StaffSession.staff == await id_of(house, "Bob")
    theirs = (await rows(house, StaffSession, where))[0].key
    await ann.go("/staff/account/sessions")
    for which in (theirs, theirs[:16], "others", "", "%"):
        await ann.post("/staff/account/sessions", {"csrf": _csrf(ann), "which": which})
    assert (await bob.go("/staff")).path == "/staff"


async def test_half_an_hour_without_use_and_ten_hours_in_all(house):
    ann = await at_desk(house)
    for _ in range(20):
        house.clock.forward(timedelta(minutes=29))
        assert (await ann.go("/staff/account")).path == "/staff/account"
    house.clock.forward(timedelta(minutes=21))
    assert (await ann.go("/staff/account")).path == "/staff/sign-in"


async def test_what_a_page_asks_by_itself_does_not_count_as_use(house):
    @house.site.get("/staff/planted")
    async def news(person: Annotated[Person, Depends(POLL)]) -> str:
        return person.name

    assert doors.unstated(house.site) == []
    ann = await at_desk(house)
    for _ in range(6):
        house.clock.forward(timedelta(minutes=4, seconds=50))
        assert (await ann.go("/staff/planted")).status == 200
    house.clock.forward(timedelta(minutes=2))
    assert (await ann.go("/staff/planted")).path == "/staff/sign-in"


async def test_one_s_role_is_looked_at_each_time(house):
    """Even where a role is changed by no page of ours."""
    ann = await at_desk(house)
    async with house.database.transaction() as db:
        await db.execute(sa.update(StaffRow).values(role="mentor"))
    assert (await ann.go("/staff")).path == "/staff/sign-in"


async def test_signing_out_clears_what_the_browser_holds_but_not_other_sites(house):
    ann = await at_desk(house)
    key = ann.http.cookies["waymark-staff"]
    got = await ann.http.post("/staff/sign-out", data={"csrf": _csrf(ann)})
    assert got.headers["clear-site-data"] == '"cache", "storage"'
    assert 'waymark-staff=""' in got.headers["set-cookie"]
    ann.http.cookies.set("waymark-staff", key)
    assert (await ann.go("/staff")).path == "/staff/sign-in"


async def test_signing_out_needs_the_form_s_token(house):
    ann = await at_desk(house)
    assert (await ann.http.post("/staff/sign-out")).status_code == 403
    assert (await ann.http.get("/staff/sign-out")).status_code in (404, 405)
    assert (await ann.go("/staff")).path == "/staff"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on an iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150 Safari/537.36 Edg/150", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/150 Mobile Safari/537.36",
         "Chrome on an Android phone or tablet"),
        ("<script>", "A browser"),
        ("", "A browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_name_it(agent, words):
    assert family(agent) == words


# --- Once more, for grave things ------------------------------------------------------------


async def test_grave_things_ask_again_after_ten_minutes_and_come_back(house):
    ann, _ = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    grave = f"/staff/people/{await id_of(house, 'Bob')}/role"
    assert (await ann.go(grave)).path == grave
    house.clock.forward(timedelta(minutes=11))
    await ann.go(grave)
    assert heading(ann) == "Confirm that it is you"
    await ann.send("/confirm", password="guess", code=ann.code())
    assert ann.status == 422
    await ann.send("/confirm", password=PASSWORD, code="000000")
    assert ann.status == 422
    key = ann.http.cookies["waymark-staff"]
    house.clock.forward(HALF_MINUTE)
    await ann.send("/confirm", password=PASSWORD, code=ann.code())
    assert ann.path == grave
    assert ann.http.cookies["waymark-staff"] != key


async def test_a_grave_form_left_open_changes_nothing(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    for what, fields in (("role", {"role": "headteacher"}), ("switch", {"to": "off"})):
        await ann.go(f"/staff/people/{await id_of(house, 'Bob')}/{what}")
        house.clock.forward(timedelta(minutes=11))
        await ann.send(f"/{what}", **fields)
        assert heading(ann) == "Confirm that it is you"
        await ann.send("/confirm", password=PASSWORD, code=ann.code())
        assert ann.path.endswith(f"/{what}")
    assert (await bob.go("/staff")).path == "/staff"
    (row,) = await rows(house, StaffRow, StaffRow.name == "Bob")
    assert (row.role, row.active) == ("mentor", True)


@pytest.mark.parametrize("evil", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_after_a_step_nobody_is_sent_astray(house, evil):
    ann = await at_desk(house)
    house.clock.forward(HALF_MINUTE)
    there = Staff(house.site)
    await there.go(f"/staff/sign-in?next={evil}")
    await there.send("/staff/sign-in", email="ann@example.org", password=PASSWORD, next=evil)
    got = await there.http.post(
        "/staff/sign-in/code", data={"csrf": _csrf(there), "code": ann.code(), "next": evil}
    )
    assert got.headers["location"] == "/staff"
    house.clock.forward(HALF_MINUTE)
    await there.go(f"/staff/account/confirm?next={evil}")
    fields = {"csrf": _csrf(there), "password": PASSWORD, "code": ann.code(), "next": evil}
    got = await there.http.post("/staff/account/confirm", data=fields)
    assert got.headers["location"] == "/staff"


# --- People ---------------------------------------------------------------------------------


async def test_the_headteacher_sees_everyone_and_others_do_not(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await link_for(house, "Cat", Role.EDUCATION_COORDINATOR)
    await ann.go("/staff/people")
    lines = [" ".join(r.text.split()) for r in ann.page.select("tbody tr")]
    assert len(lines) == 3
    assert "23 November 2026" in lines[0]
    assert "here now" in lines[1]
    assert "Never" in lines[2]
    for address in ("/staff/people", f"/staff/people/{await id_of(house)}"):
        assert (await bob.go(address)).status == 403
    assert not [a for a in bob.page.select("nav a") if a["href"] == "/staff/people"]
    assert (await ann.go("/staff/people/nobody")).status == 404


async def change(ann, house, who, what, **fields):
    await ann.go(f"/staff/people/{await id_of(house, who)}/{what}")
    return await ann.send(f"/{what}", **fields)


async def test_another_role_counts_at_once_in_every_browser(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await change(ann, house, "Bob", "role", role="headteacher")
    assert "The role is changed" in ann.text
    assert (await bob.go("/staff")).path == "/staff/sign-in"
    bob = await in_a_new_browser(house, bob, "bob@example.org")
    assert (await bob.go("/staff/people")).status == 200
    (line,) = await rows(house, Audit, Audit.action == "staff.role-changed")
    assert (line.actor, line.detail) == (
        await id_of(house),
        {"old": "mentor", "new": "headteacher"},
    )


async def test_whoever_is_switched_off_is_out_in_every_browser_until_switched_on(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    link = await link_for(house, "Bob", Role.MENTOR)
    key = bob.http.cookies["waymark-staff"]
    await change(ann, house, "Bob", "switch")
    assert "The account is switched off" in ann.text
    assert (await bob.go("/staff")).path == "/staff/sign-in"
    assert (await bob.sign_in("bob@example.org", PASSWORD)).status == 422
    assert (
        await Staff(house.site).post(link.removeprefix("http://127.0.0.1:8000"), {})
    ).status == 410
    bob.http.cookies.set("waymark-staff", key, domain="staff.test")
    await change(ann, house, "Bob", "switch")
    assert "The account is switched on" in ann.text
    assert (await bob.go("/staff")).path == "/staff/sign-in", "what was open stays closed"


async def test_signed_out_by_the_headteacher_one_can_sign_in_again(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await ann.go(f"/staff/people/{await id_of(house, 'Bob')}")
    await ann.send("/sessions")
    assert (await bob.go("/staff")).path == "/staff/sign-in"
    assert (await in_a_new_browser(house, bob, "bob@example.org")).path == "/staff"


async def test_a_new_way_in_from_the_headteacher(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await change(ann, house, "Bob", "way-in")
    link = ann.page.select_one(".staff-key").get_text()
    there = Staff(house.site)
    await there.go(link)
    await there.send(link.removeprefix("http://127.0.0.1:8000"))
    assert there.path == "/staff/sign-in/code", "a headteacher's link is not enough to be Bob"
    await change(ann, house, "Bob", "way-in", phone="gone")
    link = ann.page.select_one(".staff-key").get_text()
    assert (await bob.go("/staff")).path == "/staff/sign-in"
    await there.go(link)
    await there.send(link.removeprefix("http://127.0.0.1:8000"))
    assert there.path == "/staff/sign-in/set-password"
    made = await rows(house, Audit, Audit.action == "staff.link-made")
    assert made[-1].actor == await id_of(house)


async def test_nobody_changes_their_own_account_here(house):
    """The last headteacher could shut everyone out."""
    ann = await at_desk(house)
    for what, fields in (
        ("role", {"role": "mentor"}),
        ("switch", {"to": "off"}),
        ("way-in", {}),
    ):
        await change(ann, house, "Ann", what, **fields)
        assert ann.status == 422
        assert "Ask another headteacher" in ann.text
    assert (await ann.go("/staff/people")).status == 200


async def test_another_team(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await change(ann, house, "Bob", "team", team="transitions")
    assert "The team is changed" in ann.text
    assert "Education transitions" in (await bob.go("/staff/account")).text
    await change(ann, house, "Bob", "team", team="the-a-team")
    assert ann.status == 422
    assert "Choose a team" in ann.text


async def test_a_role_that_is_none_is_refused(house):
    ann, _ = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    await change(ann, house, "Bob", "role", role="boss")
    assert ann.status == 422
    assert "Choose a role" in ann.text


async def test_whoever_is_no_headteacher_changes_nobody(house):
    bob, _ = await at_desk(house, "Bob", Role.EDUCATION_COORDINATOR), await at_desk(house)
    token = _csrf(await bob.go("/staff/account"))
    person = f"/staff/people/{await id_of(house)}"
    for what in ("role", "team", "switch", "way-in", "sessions"):
        await bob.post(f"{person}/{what}", {"csrf": token, "role": "mentor", "to": "off"})
        assert bob.status == 403
    (row,) = await rows(house, StaffRow, StaffRow.name == "Ann")
    assert (row.role, row.active) == ("headteacher", True)


async def test_an_account_nobody_used_for_45_days_is_switched_off(house):
    ann, bob = await at_desk(house), await at_desk(house, "Bob", Role.MENTOR)
    house.clock.forward(timedelta(days=30))
    ann = await in_a_new_browser(house, ann)
    house.clock.forward(timedelta(days=16))
    await bob.sign_in("bob@example.org", PASSWORD)
    assert bob.status == 422
    ann = await in_a_new_browser(house, ann)
    await ann.go("/staff/people")
    assert "Off not used for 45 days" in ann.text
    (line,) = await rows(house, Audit, Audit.action == "staff.switched-off")
    assert (line.actor, line.object_id, line.detail) == (
        "waymark",
        await id_of(house, "Bob"),
        {"why": "unused"},
    )
    await change(ann, house, "Bob", "switch")
    assert await unused.switch_off(house.waymark) == 0, "counted from today"
    assert (await in_a_new_browser(house, bob, "bob@example.org")).path == "/staff"


async def test_a_link_lets_somebody_back_in_who_was_away_too_long(house):
    bob = await at_desk(house, "Bob", Role.MENTOR)
    house.clock.forward(timedelta(days=60))
    assert await unused.switch_off(house.waymark) == 1
    there = Staff(house.site)
    link = await link_for(house, "Bob", Role.MENTOR)
    await there.go(link)
    await there.send(link.removeprefix("http://127.0.0.1:8000"))
    assert there.path == "/staff/sign-in/code"
    assert (await there.send("/code", code=bob.code())).path == "/staff/sign-in/set-password"


async def test_what_is_over_is_forgotten_at_the_next_sign_in(house):
    await at_desk(house, "Bob", Role.MENTOR)
    house.clock.forward(timedelta(hours=1))
    await at_desk(house)
    kept = await rows(house, StaffSession)
    assert [row.staff for row in kept] == [await id_of(house)]


# --- Tables from before ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_accounts_from_before_go_on_and_everyone_signs_in_anew(kind, tmp_path, request):
    url = request.getfixturevalue("bare_postgres_url") if kind == "postgres" else None
    if url is None:
        (tmp_path / "waymark.db").touch()  # so that it isn't a copy of a migrated one
    waymark, _ = wired(tmp_path, url)

    async def move(step, to):
        def moved(connection):
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes.update(connection=connection, keys=waymark.keys)
            step(config, to)

        async with waymark.database.transaction() as db:
            await db.run_sync(moved)

    async def first(query):
        async with waymark.database.reading() as db:
            return (await db.execute(sa.text(query))).first()

    at = "'2026-11-01 10:00:00+00:00'"
    await move(command.upgrade, "0004")
    async with waymark.database.transaction() as db:
        for id_, active in (("a", "true"), ("b", "false")):
            values = f"'{id_}', 'Ann', '{id_}@example.org', 'mentor', NULL, {active}, {at}, 't'"
            await db.exec_driver_sql(f"INSERT INTO staff VALUES ({values})")
        session = f"INSERT INTO staff_session VALUES ('k', 'a', 'c', {at}, {at})"
        await db.exec_driver_sql(session)
    await move(command.upgrade, "head")
    assert await first("SELECT * FROM staff_session") is None
    ann = await first("SELECT * FROM staff WHERE id = 'a'")
    assert (bool(ann.emergency), ann.off_because, ann.subject) == (False, None, None)
    assert (await first("SELECT * FROM staff WHERE id = 'b'")).off_because == "headteacher"
    async with waymark.database.transaction() as db:
        row = await store.get(db, "a")
        assert row.idle_from is None
        assert await sessions.begin(waymark, db, "a", "password")
        now = waymark.clock()
        assert await store.switch_off_unused(db, now - timedelta(days=45), now) == []
    await move(command.downgrade, "0004")
    assert len(await first("SELECT * FROM staff WHERE id = 'a'")) == 8
    await waymark.database.close()


# --- In a real browser ----------------------------------------------------------------------


async def look(page) -> None:
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url


async def test_the_pages_of_sign_in_fit_a_phone_and_have_no_accessibility_faults(tmp_path, page):
    async with served(tmp_path) as (house, address):
        link = await link_for(house)
        await page.goto(address + link.removeprefix("http://127.0.0.1:8000"))
        await page.click("main form button")
        await look(page)
        await page.get_by_label("New password").fill("12345678")
        await page.get_by_role("button", name="Continue").click()
        await look(page)
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()
        await look(page)
        assert await page.locator(".staff-qr svg").bounding_box()
        ann = Staff(house.site)
        ann.key = "".join((await page.locator(".staff-key").inner_text()).split())
        await page.get_by_label("Code from your app").fill(ann.code())
        await page.get_by_role("button", name="Continue").click()
        await look(page)
        await page.get_by_role("button", name="I have kept them").click()
        await link_for(house, "Bob With Quite A Long Double-Barrelled Name", Role.MENTOR)
        (bob,) = await rows(house, StaffRow, StaffRow.name.startswith("Bob"))
        there = await in_a_new_browser(house, ann)
        here = f"/staff/people/{bob.id}"
        for path in (
            "/staff/account",
            "/staff/account/sessions",
            "/staff/account/authenticator",
            "/staff/account/recovery-codes",
            "/staff/account/confirm",
            "/staff/people",
            here,
            f"{here}/role",
            f"{here}/team",
            f"{here}/switch",
            f"{here}/way-in",
        ):
            await page.goto(address + path)
            assert page.url == address + path
            await look(page)
        await page.get_by_role("button", name="Make a way in").click()
        await look(page)
        await page.get_by_role("button", name="Sign out").click()
        await look(page)
        await page.goto(f"{address}/staff/sign-in")
        await page.get_by_label("Email address").fill("ann@example.org")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("main").get_by_role("button", name="Sign in").click()
        await page.get_by_text("My phone is not here").click()
        await look(page)
        assert there.path == "/staff"


async def test_the_pages_of_the_council_s_sign_in_are_sound(tmp_path, page):
    nowhere = {"oidc_issuer": "http://127.0.0.1:9/x/v2.0", "oidc_client_id": "x"}
    async with served(tmp_path, **nowhere) as (_, address):
        for path in (
            "/staff/sign-in",
            "/staff/sign-in/emergency",
            "/staff/sign-in/council",
            "/staff/sign-in/callback",
            "/staff/signed-out",
        ):
            await page.goto(address + path)
            await look(page)


def test_a_session_lasts_as_long_as_staff_are_told():
    assert timedelta(minutes=30) == sessions.IDLE
    assert timedelta(hours=10) == sessions.LONGEST
