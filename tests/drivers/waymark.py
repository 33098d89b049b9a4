"""A whole Waymark running in the test's own process, with a clock the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from bot.keys import Keys
from bot.settings import Settings
from bot.store.database import Database
from bot.telegram import app as telegram
from bot.wiring import Waymark
from content import checks, loader
from content.loader import Content
from content.schema import Limit
from tests.fake_telegram import FakeTelegram
from web import server as http
from web.app import create_app

CONTENT = checks.checked(loader.read())
SERVED = {name: CONTENT.served_by(name) for name in CONTENT.authorities}


def unhurried(content: Content) -> Content:
    """The same with nobody asked to rest: tests answer quicker than any person can. Wrong codes
    are still counted."""
    policy = content.policy
    free = Limit(minutes=1, sender=10**6, place=10**6, everyone=10**6)
    free_of = dict.fromkeys(("turns", "starts", "submissions", "uploads"), free)
    limits = policy.limits.model_copy(update=free_of)
    return replace(content, policy=policy.model_copy(update={"limits": limits}))


class Clock:
    """Stands still until it is told to go on; a little at each look, as real ones do."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def wired(
    folder: Path, url: str | None = None, content: Content | None = None, **settings
) -> tuple[Waymark, Clock]:
    """The parts, with a database of their own, and real content if no other is given."""
    chosen = Settings(data_dir=folder, database_url=url, **{"demo": False, **settings})
    clock = Clock()
    keys = Keys.at(folder, staff=chosen.role != "public")
    waymark = Waymark(
        settings=chosen,
        content=content or unhurried(SERVED[chosen.authority]),
        database=Database(chosen.database, keys),
        keys=keys,
        clock=clock,
    )
    return waymark, clock


@dataclass
class Running:
    """The site and the bot, answering in this process."""

    waymark: Waymark
    clock: Clock
    fake: FakeTelegram
    channel: telegram.Telegram | None
    site: FastAPI

    @property
    def database(self) -> Database:
        return self.waymark.database

    def http(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client with cookies of its own: one browser, at this network address. Its forms come
        from our pages, and it says so as browsers do."""
        client = (address, 50_000)
        transport = httpx.ASGITransport(self.site, raise_app_exceptions=False, client=client)
        own = {"sec-fetch-site": "same-origin"}
        site = self.waymark.settings.address
        return httpx.AsyncClient(transport=transport, base_url=site, headers=own)


@asynccontextmanager
async def running(
    folder: Path, url: str | None = None, content: Content | None = None, **settings: object
) -> AsyncIterator[Running]:
    """Everything at once, as `waymark run` serves it; the Bot API is the one in tests/."""
    fake = FakeTelegram()
    given = {
        "telegram_token": "123456:a-token",
        "telegram_api_base": "http://fake/bot",
        "telegram_file_base": "http://fake/file/bot",
        "telegram_webhook_url": "https://here.example/telegram/webhook",
        "telegram_webhook_secret": "the-secret",
    }
    waymark, clock = wired(folder, url, content, **{**given, **settings})
    channel = telegram.connect(waymark.settings, fake.transport)
    assert channel is not None or waymark.settings.role == "staff"
    site = create_app(waymark, channel)
    async with site.router.lifespan_context(site):
        yield Running(waymark, clock, fake, channel, site)


@asynccontextmanager
async def served(
    folder: Path, at: int = 0, **settings: object
) -> AsyncIterator[tuple[Running, str]]:
    """The same, listening on a port of its own, or on that one: for a browser."""
    async with running(folder, **settings) as site:
        config = http.config(site.site, port=at, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield site, f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving


class Deaf:
    """Nothing that anybody writes tells it anything."""

    def screen(self, text: str) -> None:
        return None


def deafened(running: Running) -> None:
    """No words interrupt anybody: what they lead to is looked at in test_disclosures.py."""
    vars(running.waymark)["screening"] = Deaf()
