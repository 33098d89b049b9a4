"""The HTTP server: how long it waits for a request, and how much of one it reads."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 10.0
"""Seconds in which a request's headers must have come."""
LARGEST_HEAD = 32 * 1024
CONNECTIONS = 800
"""Open at once; more are turned away by the server itself. Below what systems usually allow."""


def config(site: Any, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        site,
        **more,
        http=Guarded,
        ws="none",
        access_log=False,  # addresses in it would say who talked about what, and when
        log_config=None,
        server_header=False,
        proxy_headers=False,  # web/place.py believes only as many proxies as we have
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )


class Guarded(HttpToolsProtocol):
    """Hangs up on whoever sends a request's headers too slowly, or without end. Bodies are
    guarded further in (web/gate.py), where they get a page."""

    _size = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiting:
            self._size += len(data)
            if self._size > LARGEST_HEAD:
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._size += len(name) + len(value)
        if self._size > LARGEST_HEAD:
            raise ValueError("headers too large")  # the parser makes a refusal of it

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._stop_waiting()
        self._size = 0
        self._waiting = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
