"""A whole Waymark running in the test's own process, with a clock the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from tests.fake_telegram import FakeTelegram
from web.app import create_app

CONTENT = checks.checked(loader.read())
SERVED = {name: CONTENT.served_by(name) for name in CONTENT.authorities}


class Clock:
    """Stands still until it is told to go on; a little at each look, as real ones do."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def wired(folder: Path, url: str | None = None, **settings) -> tuple[Waymark, Clock]:
    """The parts, with real content and a database of their own."""
    chosen = Settings(data_dir=folder, database_url=url, **{"demo": False, **settings})
    clock = Clock()
    keys = Keys.at(folder, staff=chosen.role != "public")
    waymark = Waymark(
        settings=chosen,
        content=SERVED[chosen.authority],
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

    def http(self) -> httpx.AsyncClient:
        """A client with cookies of its own: one browser."""
        transport = httpx.ASGITransport(app=self.site, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


@asynccontextmanager
async def running(
    folder: Path, url: str | None = None, **settings: object
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
    waymark, clock = wired(folder, url, **{**given, **settings})
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
        config = uvicorn.Config(
            site.site, port=at, lifespan="off", log_config=None, access_log=False
        )
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
