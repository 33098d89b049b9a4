"""The server on a real port: slow, endless and broken requests cost nobody else anything."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.drivers.waymark import served
from web import gate, server

GOOD = b"GET /help-now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
async def port(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "HEAD_WITHIN", 0.6)
    monkeypatch.setattr(gate, "PATIENCE", 0.6)
    async with served(tmp_path) as (_, address):
        yield urlsplit(address).port


async def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that comes back for these parts, until the server hangs up or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(3):
            while more := await reader.read(65536):
                heard += more
                if heard.endswith((b"</html>\n", b"</html>")):
                    break
    except ConnectionError:
        pass
    finally:
        writer.close()
    return heard


async def test_help_is_served_while_others_never_finish_asking(port):
    slow = [asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
    opened = await asyncio.gather(*slow)
    for _, writer in opened:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX-")
    assert b" 200 OK" in (await said(port, GOOD))[:20]
    heard = await asyncio.gather(*(reader.read() for reader, _ in opened))
    assert set(heard) == {b""}, "all were hung up on"
    for _, writer in opened:
        writer.close()


async def test_who_drips_headers_is_hung_up_on_and_a_pause_between_requests_is_not(port):
    drip = [b"GET / HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 30]
    assert await said(port, *drip, pause=0.05) == b""
    twice = await said(port, GOOD.replace(b"/help-now", b"/brand.css"), GOOD, pause=0.4)
    assert twice.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    "endless",
    [
        [b"GET / HTTP/1.1\r\nX-A: ", *[b"x" * 10_000] * 20],
        [b"GET / HTTP/1.1\r\n", *[b"X-A: b\r\n" * 1000] * 20],
        [b"GET / HTTP/1.1\r\nX-A: " + b"x" * 60_000 + b"\r\n\r\n"],
        [b"GET /" + b"x" * 200_000],
    ],
)
async def test_headers_without_end_are_not_read(port, endless):
    assert b" 200 " not in await said(port, *endless)
    assert b" 200 OK" in await said(port, GOOD)


@pytest.mark.parametrize(
    "broken",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n",
        b"\r\n" * 5000,
    ],
)
async def test_what_is_no_request_gets_no_page(port, broken):
    assert not (await said(port, broken)).startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert b" 200 OK" in await said(port, GOOD)


async def test_a_body_that_never_ends_gets_a_page_that_says_so(port):
    head = (
        b"POST /resume HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ncode="
    )
    page = await said(port, head, b"a", b"b", pause=0.1)
    assert page.startswith(b"HTTP/1.1 408 ")
    assert b"That took too long" in page
    assert b"content-security-policy" in page.lower()
