"""A member of staff in a browser without JavaScript: signs in, reads pages, fills in real forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pyotp
from argon2 import PasswordHasher
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI
from playwright.async_api import BrowserContext

from bot.store import staff as store
from bot.wiring import Waymark
from tests.drivers.web import parsed
from web.casework import second_factor

SITE = "http://staff.test"
PASSWORD = "correct horse battery"
"""What everyone here chooses at their first sign-in."""
HASHED = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)


class Staff:
    """One browser. After each step `status`, `page` and `path` say where it stands."""

    def __init__(self, app: FastAPI, site: str = SITE) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        own = {"sec-fetch-site": "same-origin"}  # its forms come from our pages
        self.http = httpx2.AsyncClient(transport=transport, base_url=site, headers=own)
        self.app = app
        self.key = ""
        """What their authenticator app was told."""
        self.codes: list[str] = []
        """Their recovery codes."""
        self._step = 0
        self.response: httpx2.Response
        self.page = BeautifulSoup("", "html.parser")

    async def go(self, address: str) -> Staff:
        return await self._follow(
            await self.http.get(urlsplit(address)._replace(scheme="", netloc="").geturl())
        )

    async def post(self, address: str, fields: Mapping[str, Any], **more: Any) -> Staff:
        """A form of one's own making, as an attacker or an old page would send it."""
        return await self._follow(await self.http.post(address, data=dict(fields), **more))

    async def _follow(self, response: httpx2.Response) -> Staff:
        while response.status_code == 303:
            response = await self.http.get(response.headers["location"])
        self.response = response
        self.page = parsed(response.text)
        return self

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.path

    @property
    def text(self) -> str:
        """What can be read on the page, spaces made single."""
        shown = self.page.find("main") or self.page
        return " ".join(shown.get_text(" ").split())

    def form(self, action: str) -> Tag:
        """The form (or the button) that posts to an address ending so."""
        for found in self.page.select("form"):
            to = urljoin(self.path, str(found.get("action", "")))
            if to.endswith(action):
                return found
        raise AssertionError(f"no form to {action} on {self.path}: {self.text[:300]}")

    async def send(self, action: str, /, **filled: Any) -> Staff:
        """Fill in that form and press its button; what it holds already goes along."""
        form = self.form(action)
        address = urljoin(self.path, str(form["action"]))
        return await self.post(address, {**_fields(form), **filled})

    # --- What people do ---------------------------------------------------------------

    async def use(self, way_in: str) -> Staff:
        """Through a one-time link to the queue. What a first sign-in asks for was done before;
        from here on they have a password and an app."""
        waymark: Waymark = self.app.state.waymark
        token = way_in.rsplit("/", 1)[1]
        async with waymark.database.transaction() as db:
            digest = waymark.keys.digest("sign-in-link", token)
            row = await store.link(db, digest, waymark.clock())
            if row and not row.subject:
                self.key, self._step = pyotp.random_base32(), 0
                totp = await second_factor._sealed(db, row.id, self.key)
                await store.change(db, row.id, password_hash=HASHED, totp=totp, totp_step=None)
        await self.go(way_in)
        await self.send(urlsplit(way_in).path)
        return await self.take_step() if self.path.endswith("/code") else self

    async def begin(self, way_in: str) -> Staff:
        """Through a one-time link to the queue, with all that a first sign-in asks for."""
        await self.go(way_in)
        await self.send(urlsplit(way_in).path)
        while self.path.startswith("/staff/sign-in/") and self.status == 200:
            await self.take_step()
        return self

    async def sit_down(self, context: BrowserContext, address: str) -> None:
        """Go on in a real browser, signed in as here."""
        await context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": address}
                for cookie in self.http.cookies.jar
            ]
        )

    async def take_step(self) -> Staff:
        """The one step of signing in that is asked for here."""
        if self.path.endswith("/set-password"):
            return await self.send("/set-password", new=PASSWORD)
        if self.path.endswith("/code"):
            return await self.send("/code", code=self.code())
        await self.set_app("/set-authenticator")
        return await self.go("/staff")

    async def set_app(self, action: str) -> Staff:
        """Tell the app the key on this page, and the page the app's first code."""
        self.key = "".join(self.page.select_one(".staff-key").get_text().split())
        await self.send(action, code=self.code())
        self.codes = [item.get_text() for item in self.page.select(".staff-codes li")]
        return self

    def code(self) -> str:
        """What the app shows. No code is taken twice: after one was, the next comes early."""
        now = int(self.app.state.waymark.clock().timestamp()) // 30
        self._step = max(now, self._step + 1)
        return str(pyotp.TOTP(self.key).generate_otp(self._step))

    async def sign_in(self, email: str, password: str) -> Staff:
        """With the code, if one is asked for and their app knows it."""
        await self.go("/staff/sign-in")
        await self.send("/staff/sign-in", email=email, password=password)
        return await self.take_step() if self.key and self.path.endswith("/code") else self

    async def sign_out(self) -> Staff:
        return await self.send("/staff/sign-out")

    async def open(self, submission: str) -> Staff:
        return await self.go(f"/staff/submissions/{submission}")

    async def take(self) -> Staff:
        return await self.send("/take")

    async def give(self, to: str) -> Staff:
        return await self.send("/assign", to=to)

    async def move(self, submission: str, to: str, outcome: str = "", reason: str = "") -> Staff:
        await self.go(f"/staff/submissions/{submission}/status")
        return await self.send("/status", to=to, outcome=outcome, reason=reason)

    async def note(self, submission: str, text: str) -> Staff:
        await self.go(f"/staff/submissions/{submission}/notes")
        return await self.send("/notes", text=text)

    async def reply(self, submission: str, text: str) -> Staff:
        """Write it, look at it, send it."""
        await self.go(f"/staff/submissions/{submission}/reply")
        await self.send("/reply/check", text=text)
        return await self.send("/reply/send")

    async def settle(
        self, alert: str, action: str, told: tuple[str, ...] = ("duty-team",)
    ) -> Staff:
        await self.go(f"/staff/alerts/{alert}")
        return await self.send(f"/alerts/{alert}", told=list(told), action=action)

    async def handles(self, query: str = "") -> list[str]:
        """The queue from top to bottom, by handle."""
        await self.go(f"/staff{query}")
        return [link.get_text(strip=True) for link in self.page.select(".staff-handle")]

    def counts(self) -> dict[str, int]:
        """The tabs of the queue."""
        tabs = self.page.select(".staff-tabs a")
        words = [tab.get_text(" ", strip=True).rsplit(" ", 1) for tab in tabs]
        return {label: int(count) for label, count in words}


def _fields(form: Tag) -> dict[str, Any]:
    """What the form would send as it stands."""
    fields: dict[str, Any] = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        name = str(field["name"])
        if field.name == "textarea":
            fields[name] = field.get_text().removeprefix("\n")
        elif field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            fields[name] = chosen["value"] if chosen else ""
        elif field.get("type") not in ("checkbox", "radio") or field.has_attr("checked"):
            fields[name] = field.get("value", "")
    return fields
