"""A member of staff in a browser without JavaScript: signs in, reads pages, fills in real forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI

from tests.drivers.web import parsed

SITE = "http://staff.test"


class Staff:
    """One browser. After each step `status`, `page` and `path` say where it stands."""

    def __init__(self, app: FastAPI, site: str = SITE) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        own = {"sec-fetch-site": "same-origin"}  # its forms come from our pages
        self.http = httpx2.AsyncClient(transport=transport, base_url=site, headers=own)
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
        await self.go(way_in)
        return await self.send(urlsplit(way_in).path)

    async def sign_in(self, email: str, password: str) -> Staff:
        await self.go("/staff/sign-in")
        return await self.send("/staff/sign-in", email=email, password=password)

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

    async def settle(self, alert: str, action: str) -> Staff:
        await self.go(f"/staff/alerts/{alert}")
        return await self.send(f"/alerts/{alert}", action=action)

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
