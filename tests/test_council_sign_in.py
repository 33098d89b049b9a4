"""The council's own sign-in, told every lie we know: nobody comes in by one, and all stays calm."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.settings import Settings
from bot.store.models import Audit, SignInLink, StaffSession
from bot.store.models import Staff as StaffRow
from content.schema import Role
from tests import hostile_provider as hostile
from tests.drivers.people import on
from tests.drivers.staff import HASHED, PASSWORD, Staff
from tests.drivers.waymark import Clock, running
from tests.hostile_provider import CLIENT, TENANT, HostileProvider, coded, never_ending
from web.casework import accounts, identity, oidc

START = "/staff/sign-in/council"
BACK = "/staff/sign-in/callback"
HOUR = timedelta(hours=2)
"""Longer than anything is remembered of a provider."""


@pytest.fixture(scope="module")
async def house(tmp_path_factory):
    clock = Clock()
    async with (
        hostile.listening(clock) as provider,
        running(
            tmp_path_factory.mktemp("council"),
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret="a-secret",
            oidc_tenants=TENANT,
        ) as house,
    ):
        provider.clock = house.clock
        house.provider = provider
        yield house


@pytest.fixture
def provider(house) -> HostileProvider:
    house.clock.forward(HOUR)
    house.provider.begin()
    return house.provider


async def rows(house, table, *where):
    async with house.database.reading() as db:
        return (await db.execute(sa.select(*table.__table__.columns).where(*where))).all()


async def leave(here: Staff, provider: HostileProvider, query: str = "") -> dict[str, str]:
    """To the provider, where they sign in: what they carry back."""
    got = await here.http.get(START + query)
    assert got.status_code == 303, got.text
    return provider.authorise(got.headers["location"])


async def come_in(house, query: str = "") -> Staff:
    here = Staff(house.site)
    answer = await leave(here, house.provider, query)
    return await here._follow(await here.http.get(BACK, params=answer))


def heading(here: Staff) -> str:
    return here.page.h1.get_text(strip=True)


# --- The truth ------------------------------------------------------------------------------


async def test_who_the_council_vouches_for_comes_in_and_is_one_account_for_good(house, provider):
    ines = await come_in(house, "?next=/staff/account")
    assert (ines.status, ines.path) == (200, "/staff/account")
    assert "Ines Invented" in ines.text
    assert "Education" in ines.text
    provider.claims = {"preferred_username": "ines.new@council.example", "name": "Ines Newname"}
    again = await come_in(house, "?next=/staff/account")
    assert "Ines Newname" in again.text
    found = await rows(house, StaffRow, StaffRow.subject.is_not(None))
    assert [row.subject.split("|")[0] for row in found] == [TENANT]
    assert found[0].password_hash is None


async def test_what_is_asked_has_pkce_and_a_new_state_and_nonce_each_time(house, provider):
    here, asked = Staff(house.site), []
    for _ in range(2):
        await leave(here, provider)
        asked.append(provider.asked)
    for one in asked:
        assert one["response_type"] == "code"
        assert one["code_challenge_method"] == "S256"
        assert len(one["code_challenge"]) == 43
        assert one["redirect_uri"] == "http://127.0.0.1:8000/staff/sign-in/callback"
        assert "secret" not in str(one)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert len({asked[0][name] for name in ("state", "nonce", "code_challenge")}) == 3


@pytest.mark.parametrize("truth", ["PS256", "ES256", "audiences", "rotated", "skew", "no-kty"])
async def test_other_ways_of_telling_the_truth_are_taken(house, provider, truth):
    if truth == "PS256":
        provider.header["alg"] = truth
        provider.key = jwk.import_key(
            {k: v for k, v in provider.honest.as_dict(private=True).items() if k != "alg"}
        )
        provider.published = [provider.key]
    elif truth == "ES256":
        provider.header["alg"] = truth
        provider.key = jwk.ECKey.generate_key("P-256", {"kid": "one"})
        provider.published = [provider.key]
    elif truth == "audiences":
        provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    elif truth == "rotated":
        await come_in(house)
        provider.key = jwk.RSAKey.generate_key(2048, {"kid": "two"})
        provider.published = [provider.key]
        provider.header["kid"] = "two"
    elif truth == "skew":
        now = int(house.clock().timestamp())
        provider.claims = {"iat": now + 45, "nbf": now + 45, "exp": now - 45}
    else:
        odd = [{"kid": "odd"}, {"kty": "AKP", "kid": "new"}, "x", {"kty": "RSA", "n": 1}]
        true = [provider.honest.as_dict(private=False)]
        provider.pages["keys"] = lambda: JSONResponse({"keys": odd + true})
    assert (await come_in(house)).path == "/staff"


async def test_keys_are_looked_up_again_only_now_and_then(house, provider):
    """Or a stranger could have us ask the provider as often as they like."""
    provider.header["kid"] = "unknown"
    for _ in range(4):
        await come_in(house)
    assert provider.seen.count("keys") == 2
    house.clock.forward(timedelta(minutes=2))
    await come_in(house)
    assert provider.seen.count("keys") == 3
    assert provider.seen.count("description") == 1


# --- The lies -------------------------------------------------------------------------------

UNSURE = (403, "We could not be sure who you are")
NO_ACCESS = (403, "No access yet")
ANEW = (400, "Please start again")
STOPPED = (403, "You were not signed in")
AWAY = (503, "The council\N{RIGHT SINGLE QUOTATION MARK}s sign-in does not answer")
Tell = Callable[[HostileProvider], Any]


def claim(**claims: Any) -> Tell:
    return lambda provider: provider.claims.update(claims)


def at(name: str, seconds: int) -> Tell:
    def tell(provider: HostileProvider) -> None:
        provider.claims[name] = int(provider.clock().timestamp()) + seconds

    return tell


def page(name: str, answer: Callable[[], Response]) -> Tell:
    return lambda provider: provider.pages.update({name: answer})


def hs256_with_the_public_key(provider: HostileProvider) -> None:
    public = provider.honest.as_pem(private=False)

    def forge(token: str) -> str:
        signed = f"{coded({'alg': 'HS256', 'kid': 'one'})}.{token.split('.')[1]}"
        mac = hmac.digest(public, signed.encode(), hashlib.sha256)
        return f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    provider.forge = forge


def tampered(provider: HostileProvider) -> None:
    def forge(token: str) -> str:
        head, body, signature = token.split(".")
        claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return f"{head}.{coded(claims | {'roles': ['headteacher']})}.{signature}"

    provider.forge = forge


def own_key_in_the_header(provider: HostileProvider) -> None:
    provider.key = provider.other
    provider.header["jwk"] = provider.other.as_dict(private=False)


def short_key(provider: HostileProvider) -> None:
    made = rsa.generate_private_key(65537, 1024)
    provider.key = provider.honest
    public = jwk.import_key(provider.honest.as_dict(private=False)).as_dict()
    n = made.public_key().public_numbers().n.to_bytes(128, "big")
    weak = {**public, "n": urlsafe_b64encode(n).rstrip(b"=").decode()}
    provider.pages["keys"] = lambda: JSONResponse({"keys": [weak]})


def endless_keys(provider: HostileProvider) -> None:
    """They would do, but for what comes before them."""
    true = json.dumps({"keys": [provider.honest.as_dict(private=False)]})
    provider.pages["keys"] = lambda: Response(" " * 400_000 + true)


def alg(name: str) -> Tell:
    def tell(provider: HostileProvider) -> None:
        provider.header["alg"] = name
        provider.key = jwk.import_key(
            {k: v for k, v in provider.honest.as_dict(private=True).items() if k != "alg"}
        )
        provider.published = [provider.key]

    return tell


def signed_by(which: str) -> Tell:
    return lambda provider: setattr(provider, "key", getattr(provider, which))


@dataclass(frozen=True)
class Lie:
    """What is told, and what the person sees of it."""

    tell: Tell
    seen: tuple[int, str] = UNSURE
    answer: dict[str, str | None] = field(default_factory=dict)
    """Put over what the browser brings back; None leaves it out."""


GROUPS = [f"00000000-0000-0000-0000-{n:012}" for n in range(201)]
OVERAGE = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "x"}}}
DEEP = "[" * 100_000
LIES: dict[str, Lie] = {
    # Who it is for, and from.
    "another client": Lie(claim(aud="another")),
    "no audience": Lie(claim(aud=None)),
    "an audience that is no text": Lie(claim(aud={"a": CLIENT})),
    "several audiences and no party": Lie(claim(aud=[CLIENT, "another"])),
    "several audiences, another party": Lie(claim(aud=[CLIENT, "another"], azp="another")),
    "one audience, another party": Lie(claim(azp="another")),
    "another issuer": Lie(claim(iss=f"https://login.example/{TENANT}/v2.0")),
    "an issuer that only begins so": Lie(lambda p: p.claims.update(iss=p.issuer + "/")),
    "no issuer": Lie(claim(iss=None)),
    "another tenant": Lie(claim(tid="11111111-604b-40ac-a9d7-9fd97c0b779f")),
    "no tenant": Lie(claim(tid=None)),
    "a list of tenants": Lie(claim(tid=[TENANT])),
    "no person": Lie(claim(oid=None)),
    "a person that is no text": Lie(claim(oid={"a": 1})),
    "an endless person": Lie(claim(oid="x" * 300)),
    "no subject": Lie(claim(sub=None)),
    # When, and for which sign-in.
    "another nonce": Lie(claim(nonce="another")),
    "no nonce": Lie(claim(nonce=None)),
    "a nonce that is no text": Lie(claim(nonce=1)),
    "a nonce of odd letters": Lie(claim(nonce="é")),
    "expired": Lie(at("exp", -120)),
    "no end": Lie(claim(exp=None)),
    "an end that is no number": Lie(claim(exp="tomorrow")),
    "an endless end": Lie(claim(exp=float("inf"))),
    "not yet valid": Lie(at("nbf", 120)),
    "made in the future": Lie(at("iat", 120)),
    "made at no time": Lie(claim(iat=None)),
    # The signature.
    "unsigned": Lie(lambda p: p.header.update(alg="none")),
    "signed with the public key": Lie(hs256_with_the_public_key),
    "another algorithm": Lie(alg("RS512")),
    "changed afterwards": Lie(tampered),
    "signed by somebody else": Lie(signed_by("other")),
    "brings its own key": Lie(own_key_in_the_header),
    "an unknown key": Lie(lambda p: p.header.update(kid="unknown")),
    "not a token": Lie(lambda p: setattr(p, "forge", lambda token: "x.y.z")),
    "a nested token": Lie(
        lambda p: setattr(p, "forge", lambda t: f"{coded({'alg': 'RS256'})}.{DEEP[:20000]}.x")
    ),
    "a huge token": Lie(claim(name="x" * 60_000)),
    # The role.
    "no roles": Lie(claim(roles=None), NO_ACCESS),
    "empty roles": Lie(claim(roles=[]), NO_ACCESS),
    "an unknown role": Lie(claim(roles=["global-administrator"]), NO_ACCESS),
    "a role in other letters": Lie(claim(roles=["Headteacher"]), NO_ACCESS),
    "roles that are none": Lie(claim(roles={"headteacher": True}), NO_ACCESS),
    "201 groups": Lie(claim(roles=None, groups=GROUPS), NO_ACCESS),
    "too many groups to name": Lie(claim(roles=None, **OVERAGE), NO_ACCESS),
    "too many groups, the short way": Lie(claim(roles=None, hasgroups=True), NO_ACCESS),
    "a role among the groups": Lie(claim(roles=None, groups=["headteacher"]), NO_ACCESS),
    # The way back.
    "stopped": Lie(lambda p: None, STOPPED, {"code": None, "error": "access_denied"}),
    "no code": Lie(lambda p: None, STOPPED, {"code": None}),
    "an unknown code": Lie(lambda p: None, UNSURE, {"code": "made-up"}),
    "a changed state": Lie(lambda p: None, ANEW, {"state": "0" * 64}),
    "a state of odd letters": Lie(lambda p: None, ANEW, {"state": "é"}),
    "no state": Lie(lambda p: None, ANEW, {"state": None}),
    "an answer from elsewhere": Lie(lambda p: None, UNSURE, {"iss": "https://evil.example"}),
    "an answer from nowhere": Lie(lambda p: None, UNSURE, {"iss": None}),
    # Broken, which is not the person's fault.
    "no keys": Lie(page("keys", lambda: Response(status_code=500)), AWAY),
    "garbage for keys": Lie(page("keys", lambda: Response(b"\xff\x00<html>")), AWAY),
    "an empty list of keys": Lie(page("keys", lambda: JSONResponse({"keys": []})), AWAY),
    "keys that are no list": Lie(page("keys", lambda: JSONResponse({"keys": "x"})), AWAY),
    "nested keys": Lie(page("keys", lambda: Response(DEEP)), AWAY),
    "keys without end": Lie(endless_keys, AWAY),
    "slow keys": Lie(page("keys", never_ending), AWAY),
    "keys elsewhere": Lie(page("keys", lambda: RedirectResponse("http://127.0.0.1:1/")), AWAY),
    "only a short key": Lie(short_key, AWAY),
    "no answer for a code": Lie(page("token", lambda: Response(status_code=500)), AWAY),
    "an answer without a token": Lie(page("token", lambda: JSONResponse({})), AWAY),
    "a token that is no text": Lie(page("token", lambda: JSONResponse({"id_token": 1})), AWAY),
    "a slow token": Lie(page("token", never_ending), AWAY),
    "our secret is refused": Lie(
        page("token", lambda: JSONResponse({"error": "invalid_client"}, 401)), AWAY
    ),
}


def test_there_are_many_lies():
    assert len(LIES) >= 60


@pytest.mark.parametrize("name", LIES)
async def test_nobody_comes_in_by_a_lie(house, provider, monkeypatch, name):
    monkeypatch.setattr(oidc, "PATIENCE", 0.4)
    lie = LIES[name]
    people, open_ = len(await rows(house, StaffRow)), len(await rows(house, StaffSession))
    lie.tell(provider)
    here = Staff(house.site)
    answer = {**await leave(here, provider), **lie.answer}
    params = {key: value for key, value in answer.items() if value is not None}
    await here._follow(await here.http.get(BACK, params=params))
    assert (here.status, heading(here)) == lie.seen
    assert here.http.cookies.get("waymark-staff") is None
    assert "traceback" not in here.response.text.casefold()
    assert len(await rows(house, StaffRow)) == people
    assert len(await rows(house, StaffSession)) <= open_
    assert (await here.go("/staff")).path == "/staff/sign-in"


@pytest.mark.parametrize(
    ("name", "answer"),
    {
        "away": lambda: Response(status_code=502),
        "slow": never_ending,
        "garbage": lambda: Response("<html>Captive portal</html>"),
        "a list": lambda: JSONResponse([]),
        "half": lambda: JSONResponse({"issuer": "x"}),
        "nested": lambda: Response(DEEP),
    }.items(),
    ids=["away", "slow", "garbage", "a list", "half", "nested"],
)
async def test_a_provider_that_does_not_describe_itself_is_a_calm_page(
    house, provider, monkeypatch, name, answer
):
    monkeypatch.setattr(oidc, "PATIENCE", 0.4)
    provider.pages["description"] = answer
    here = await Staff(house.site).go(START)
    assert (here.status, heading(here)) == AWAY
    assert "What people send us still arrives" in here.text
    assert "emergency account" in here.text


async def test_a_provider_that_calls_itself_otherwise_is_not_asked_anything(house, provider):
    provider.described = {"issuer": provider.issuer + "/"}
    assert (await Staff(house.site).go(START)).status == 503


async def test_after_it_failed_those_behind_are_told_at_once(house, provider):
    provider.pages["description"] = lambda: Response(status_code=500)
    for _ in range(4):
        assert (await Staff(house.site).go(START)).status == 503
    assert provider.seen == ["description"]
    house.clock.forward(timedelta(seconds=6))
    provider.pages.clear()
    assert (await come_in(house)).path == "/staff"


# --- The way back, used by somebody it isn't for --------------------------------------------


async def test_a_way_back_works_once(house, provider):
    here = Staff(house.site)
    answer = await leave(here, provider)
    assert (await here._follow(await here.http.get(BACK, params=answer))).path == "/staff"
    again = await here._follow(await here.http.get(BACK, params=answer))
    assert (again.status, heading(again)) == ANEW


async def test_a_way_back_is_of_no_use_with_the_cookie_kept_either(house, provider):
    """The provider takes a code once, and so does whoever kept a copy of everything."""
    here = Staff(house.site)
    answer = await leave(here, provider)
    away = here.http.cookies["waymark-staff-away"]
    await here.http.get(BACK, params=answer)
    thief = Staff(house.site)
    thief.http.cookies.set("waymark-staff-away", away)
    await thief._follow(await thief.http.get(BACK, params=answer))
    assert (thief.status, heading(thief)) == UNSURE


async def test_a_way_back_of_another_browser_is_refused(house, provider):
    """Or somebody could have others work in an account that isn't theirs."""
    mallory, victim = Staff(house.site), Staff(house.site)
    answer = await leave(mallory, provider)
    await leave(victim, provider)
    for here in (victim, Staff(house.site)):
        await here._follow(await here.http.get(BACK, params=answer))
        assert (here.status, heading(here)) == ANEW


async def test_a_way_back_is_good_for_ten_minutes(house, provider):
    here = Staff(house.site)
    answer = await leave(here, provider)
    house.clock.forward(timedelta(minutes=11))
    await here._follow(await here.http.get(BACK, params=answer))
    assert (here.status, heading(here)) == ANEW


@pytest.mark.parametrize(
    "carried",
    ["", "x", "eyJ9", coded([]), coded({"left_at": "x"}), coded({"left_at": 1e400}), coded("x")],
)
async def test_a_made_up_cookie_is_refused(house, provider, carried):
    here = Staff(house.site)
    here.http.cookies.set("waymark-staff-away", carried)
    await here._follow(await here.http.get(BACK, params={"code": "x", "state": "x"}))
    assert (here.status, heading(here)) == ANEW
    assert provider.seen == []


async def test_the_page_wanted_can_be_changed_by_nobody(house, provider):
    here = Staff(house.site)
    answer = await leave(here, provider)
    carried = json.loads(urlsafe_b64decode(here.http.cookies["waymark-staff-away"]))
    changed = json.dumps(carried | {"next": "https://evil.example"}).encode()
    here.http.cookies.clear()
    here.http.cookies.set("waymark-staff-away", urlsafe_b64encode(changed).decode())
    await here._follow(await here.http.get(BACK, params=answer))
    assert (here.status, heading(here)) == ANEW


@pytest.mark.parametrize("evil", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_astray_afterwards(house, provider, evil):
    here = Staff(house.site)
    answer = await leave(here, provider, f"?next={evil}")
    got = await here.http.get(BACK, params=answer)
    assert got.headers["location"] == "/staff"


async def test_the_session_is_new_and_the_cookies_are_bound(house, provider):
    here = Staff(house.site)
    here.http.cookies.set("waymark-staff", "planted", domain="staff.test")
    answer = await leave(here, provider)
    got = await here.http.get(BACK, params=answer)
    kept = {c.split("=")[0]: c for c in got.headers.get_list("set-cookie")}
    assert "planted" not in kept["waymark-staff"]
    assert all("HttpOnly" in c and "SameSite=lax" in c for c in kept.values())
    assert "Max-Age=0" in kept["waymark-staff-away"]


# --- Roles come and go ----------------------------------------------------------------------


async def test_another_role_ends_what_was_open_with_the_old_one(house, provider):
    provider.claims = {"roles": ["headteacher"], "oid": "somebody"}
    first = await come_in(house)
    assert (await first.go("/staff/people")).status == 200
    provider.claims["roles"] = ["mentor", "unknown"]
    second = await come_in(house)
    assert (await second.go("/staff/people")).status == 403
    assert (await first.go("/staff")).path == "/staff/sign-in"


async def test_a_role_that_is_taken_away_ends_everything_until_it_is_back(house, provider):
    provider.claims = {"oid": "leaver"}
    here = await come_in(house)
    provider.claims["roles"] = None
    assert heading(await come_in(house)) == NO_ACCESS[1]
    assert (await here.go("/staff")).path == "/staff/sign-in"
    (row,) = await rows(house, StaffRow, StaffRow.subject == f"{TENANT}|leaver")
    told = await rows(house, Audit, Audit.object_id == row.id, Audit.outcome == "refused")
    assert [line.detail for line in told] == [{"why": "no-role", "failed": "roles"}]
    assert (row.active, row.off_because) == (False, "no-role")
    del provider.claims["roles"]
    assert (await come_in(house)).path == "/staff"


async def test_whom_the_headteacher_switched_off_stays_out(house, provider):
    provider.claims = {"oid": "off"}
    await come_in(house)
    async with house.database.transaction() as db:
        where = StaffRow.subject == f"{TENANT}|off"
        change = sa.update(StaffRow).where(where)
        await db.execute(change.values(active=False, off_because="headteacher"))
    here = await come_in(house)
    assert (here.status, heading(here)) == (403, "Your account is switched off")


async def test_an_account_is_never_found_by_its_address(house, provider):
    """Whoever can choose an address at the provider must not become somebody else by it."""
    await accounts.add(house.waymark, "Hilda", "hilda@council.example", "headteacher")
    provider.claims = {"oid": "mallory", "preferred_username": "hilda@council.example"}
    here = await come_in(house)
    assert (await here.go("/staff/people")).status == 403
    kept = await rows(house, StaffRow, StaffRow.email == "hilda@council.example")
    assert [row.subject for row in kept] == [None]


async def test_a_one_time_link_ties_an_older_account_to_the_council(house, provider):
    link = await accounts.add(house.waymark, "Olga Old", "olga@council.example", "mentor")
    (old,) = await rows(house, StaffRow, StaffRow.email == "olga@council.example")
    here = Staff(house.site)
    await here.go(link)
    assert "joins your council account" in here.text
    refused = await here.post(link.removeprefix("http://127.0.0.1:8000"), {})
    assert refused.status == 410
    provider.claims = {"oid": "olga", "name": "Olga Old"}
    token = link.rsplit("/", 1)[1]
    answer = await leave(here, provider, f"?link={token}")
    await here._follow(await here.http.get(BACK, params=answer))
    assert here.path == "/staff"
    (tied,) = await rows(house, StaffRow, StaffRow.id == old.id)
    assert (tied.subject, tied.role) == (f"{TENANT}|olga", "education-coordinator")
    assert await rows(house, SignInLink, SignInLink.staff == old.id) == []
    # Used up: somebody else gets an account of their own.
    provider.claims = {"oid": "second", "name": "Second"}
    other = Staff(house.site)
    answer = await leave(other, provider, f"?link={token}")
    await other._follow(await other.http.get(BACK, params=answer))
    assert len(await rows(house, StaffRow, StaffRow.subject.endswith("|second"))) == 1


async def test_two_first_sign_ins_at_once_make_one_account(house, provider):
    provider.claims = {"oid": "twice"}
    browsers = [Staff(house.site) for _ in range(4)]
    answers = [await leave(here, provider) for here in browsers]
    got = await asyncio.gather(
        *(b.http.get(BACK, params=a) for b, a in zip(browsers, answers, strict=True))
    )
    assert [r.status_code for r in got] == [303] * 4
    assert len(await rows(house, StaffRow, StaffRow.subject == f"{TENANT}|twice")) == 1


# --- Grave things: once more ----------------------------------------------------------------


async def head(house, provider, oid="head", **claims: Any) -> Staff:
    provider.claims = {"oid": oid, "roles": ["headteacher"], **claims}
    return await come_in(house)


async def someone(house):
    await accounts.add(house.waymark, "Moss", "moss@example.org", "mentor")
    (row,) = await rows(house, StaffRow, StaffRow.email == "moss@example.org")
    return row.id


async def test_a_grave_thing_asks_the_council_again_and_comes_back(house, provider):
    here, moss = await head(house, provider), await someone(house)
    grave = f"/staff/people/{moss}/switch"
    assert (await here.go(grave)).path == grave
    house.clock.forward(timedelta(minutes=11))
    await here.go(grave)
    assert heading(here) == "Confirm that it is you"
    link = here.page.find("a", string=lambda s: s and "Confirm with" in s)["href"]
    answer = await leave(here, provider, link.removeprefix(START))
    assert (provider.asked["prompt"], provider.asked["max_age"]) == ("login", "0")
    await here._follow(await here.http.get(BACK, params=answer))
    assert here.path == grave


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"auth_time": None}, "We could not be sure that it is you"),
        ({"auth_time": 1}, "We could not be sure that it is you"),
        ({"auth_time": "now"}, "We could not be sure that it is you"),
        ({"oid": "another-head"}, "That was another account"),
    ],
)
async def test_a_confirmation_that_proves_nothing_is_refused(house, provider, claims, said):
    here, moss = await head(house, provider), await someone(house)
    house.clock.forward(timedelta(minutes=11))
    provider.claims |= claims
    answer = await leave(here, provider, f"?again=yes&next=/staff/people/{moss}/switch")
    await here._follow(await here.http.get(BACK, params=answer))
    assert (here.status, heading(here)) == (403, said)
    assert (await here.go(f"/staff/people/{moss}/switch")).path == "/staff/account/confirm"


async def test_coming_in_without_a_time_of_proof_is_no_proof(house, provider):
    """Signed in at the council all day, in a browser left open: not enough for grave things."""
    here, moss = await head(house, provider, auth_time=None), await someone(house)
    assert (await here.go(f"/staff/people/{moss}/switch")).path == "/staff/account/confirm"


# --- Out again ------------------------------------------------------------------------------


async def test_signing_out_here_goes_on_to_sign_out_there(house, provider):
    here = await come_in(house)
    await here.sign_out()
    onward = here.page.find("meta", attrs={"http-equiv": "refresh"})["content"]
    assert f"url={provider.address}/logout?client_id={CLIENT}" in onward
    assert "signed-out" in onward
    assert here.response.headers["clear-site-data"] == '"cache", "storage"'
    assert (await here.go("/staff")).path == "/staff/sign-in"


async def test_signing_out_works_while_the_provider_is_away(house, provider):
    here = await come_in(house)
    house.clock.forward(timedelta(minutes=20))
    await here.go("/staff")
    house.clock.forward(timedelta(minutes=25))
    await here.go("/staff")
    house.clock.forward(timedelta(minutes=20))
    await here.go("/staff")
    provider.pages["description"] = lambda: Response(status_code=500)
    await here.sign_out()
    assert (here.status, here.path) == (200, "/staff/signed-out")


# --- Without the provider -------------------------------------------------------------------


@pytest.fixture
async def alone(tmp_path):
    """The provider's address answers nobody."""
    nowhere = {"oidc_issuer": "http://127.0.0.1:9/x/v2.0", "oidc_client_id": CLIENT}
    async with running(tmp_path, **nowhere) as house:
        yield house


async def test_senders_notice_nothing_while_the_provider_is_away(alone):
    here = await Staff(alone.site).go(START)
    assert (here.status, heading(here)) == AWAY
    async with alone.http() as http:
        assert (await http.get("/")).status_code == 200
    carer = on("chat", alone)
    await carer.begin("raise-a-concern")
    first = await carer.asked()
    await carer.choose(first, "not-now")
    assert await carer.asked() != first


async def test_only_emergency_accounts_have_a_password_here_and_their_use_is_loud(alone):
    link = await accounts.add(
        alone.waymark, "Spare", "spare@example.org", "headteacher", emergency=True
    )
    spare = await Staff(alone.site).begin(link)
    assert spare.path == "/staff"
    assert "An emergency account was used: Spare" in spare.text
    assert len(await rows(alone, Audit, Audit.action == "staff.emergency-used")) == 1
    await spare.sign_out()
    alone.clock.forward(timedelta(minutes=1))
    page = await Staff(alone.site).go("/staff/sign-in")
    assert "Sign in with your council account" in page.text
    assert page.page.select("input[type=password]") == []
    await spare.go("/staff/sign-in/emergency")
    await spare.send("/staff/sign-in", email="spare@example.org", password=PASSWORD)
    await spare.take_step()
    assert spare.path == "/staff"
    assert len(await rows(alone, Audit, Audit.action == "staff.emergency-used")) == 2


async def test_an_ordinary_password_opens_nothing_where_the_council_signs_people_in(alone):
    await accounts.add(alone.waymark, "Ann", "ann@example.org", "headteacher")
    async with alone.database.transaction() as db:
        await db.execute(sa.update(StaffRow).values(password_hash=HASHED))
    here = await Staff(alone.site).post(
        "/staff/sign-in", {"email": "ann@example.org", "password": PASSWORD}
    )
    assert here.status == 422
    assert heading(here) == "Emergency sign-in"


async def test_emergency_accounts_wait_as_long_as_it_takes(alone):
    await accounts.add(alone.waymark, "S", "spare@example.org", "headteacher", emergency=True)
    await accounts.add(alone.waymark, "Ann", "ann@example.org", "mentor")
    alone.clock.forward(timedelta(days=90))
    await Staff(alone.site).post("/staff/sign-in", {"email": "nobody@example.org"})
    found = {row.name: (row.active, row.off_because) for row in await rows(alone, StaffRow)}
    assert found == {"S": (True, None), "Ann": (False, "unused")}


# --- Settings -------------------------------------------------------------------------------


def test_a_provider_without_tenants_is_keyed_on_issuer_and_subject():
    settings = Settings(oidc_issuer="https://id.example", oidc_client_id="x")
    claims = {"iss": "https://id.example", "sub": "s1", "tid": "t", "oid": "o", "email": "a@b.c"}
    assert identity.read(settings, claims).subject == "https://id.example|s1"
    assert identity.read(settings, claims).name == "No name"


def test_a_council_s_own_names_for_roles(monkeypatch):
    monkeypatch.setenv("WAYMARK_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("WAYMARK_OIDC_CLIENT_ID", "x")
    monkeypatch.setenv("WAYMARK_OIDC_TENANTS", " t1, t2,")
    monkeypatch.setenv("WAYMARK_OIDC_ROLE_CLAIM", "groups")
    monkeypatch.setenv("WAYMARK_OIDC_ROLES", '{"VS.Head": "headteacher", "VS.M": "mentor"}')
    settings = Settings()
    assert settings.oidc_tenants == ("t1", "t2")
    claims = {"iss": "i", "sub": "s", "tid": "t2", "oid": "o", "roles": ["mentor"]}
    for groups, role in (
        (["VS.M", "VS.Head"], Role.HEADTEACHER),
        ("VS.M", Role.MENTOR),
        (["headteacher"], None),
        (None, None),
    ):
        assert identity.read(settings, claims | {"groups": groups}).role == role


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "https://id.example"}, "CLIENT_ID"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "x"}, "https://"),
        ({"oidc_issuer": "id.example", "oidc_client_id": "x"}, "https://"),
    ],
)
def test_half_a_council_sign_in_is_refused_at_the_start(given, said):
    with pytest.raises(ValueError, match=said):
        Settings(**given)


async def test_a_provider_that_names_an_address_without_https_is_not_used():
    provider = oidc.Provider(
        Settings(oidc_issuer="https://id.example", oidc_client_id="x"), lambda: datetime.now(UTC)
    )

    async def described(method, where, **more):
        pages = {"authorization_endpoint": "https://id.example/a", "jwks_uri": "https://i.e/k"}
        return 200, {"issuer": "https://id.example", "token_endpoint": "http://i.e/t", **pages}

    provider._ask = described
    with pytest.raises(oidc.ProviderTrouble, match="https"):
        await provider.address("state", "nonce", "verifier")
    await provider.close()


def test_names_are_shown_on_one_line_and_without_tricks():
    plain = identity._plain
    assert plain("Ann\nExample\u202e  \x00B") == "AnnExample B"
    assert len(plain("x" * 500)) == 100
    assert plain({"a": 1}) == ""


def test_a_time_of_proof_is_never_later_than_its_token():
    assert identity._proved_at({"auth_time": 2_000_000_000, "iat": 1}) == datetime.fromtimestamp(
        1, UTC
    )
