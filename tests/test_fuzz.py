"""Whatever is sent to any address: never a 500, always our own answer with all its headers.

A short, repeatable run; `make fuzz` takes longer and something else each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
import schemathesis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests import corpus
from tests.drivers.house import House, furnished, headteacher, routes
from tests.drivers.telegram import Person
from tests.drivers.waymark import Running, running
from tests.drivers.web import OnForm
from tests.headers import sound
from tests.injections import ALL, packed
from tests.postgres import fresh
from tests.public import CONCERN
from web.api.telegram import SECRET
from web.casework import passwords

LONG = int(os.environ.get("WAYMARK_FUZZ", "0"))
"""How many times longer than in every check."""
FREELY: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": not LONG,
    "phases": list(Phase) if LONG else [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


def bounded(examples: int) -> settings:
    return settings(max_examples=examples * max(1, LONG), **FREELY)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def house(request, tmp_path_factory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("fuzz")
    with contextlib.ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            template = request.getfixturevalue("postgres_template")
            url = stack.enter_context(fresh(server, f" TEMPLATE {template}"))
        quick = PasswordHasher(time_cost=1, memory_cost=64)
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(passwords, "_hasher", quick)
        async with running(folder, url) as site:
            yield await furnished(site)


@dataclass
class Prober:
    """Sends anything, from the thread where it is thought up, and judges what comes back."""

    house: House
    loop: asyncio.AbstractEventLoop
    seen: dict[int, int]

    def __call__(self, method: str, url: str, headers: Any, content: bytes) -> int:
        sending = self._send(method, url, headers, content)
        return asyncio.run_coroutine_threadsafe(sending, self.loop).result(60)

    async def _send(self, method: str, url: str, headers: Any, content: bytes) -> int:
        client = self.house.staff.http if url.startswith("/staff") else self.house.writing.http
        response = await client.request(method, url, headers=headers, content=content)
        judge(response)
        self.seen[response.status_code] = self.seen.get(response.status_code, 0) + 1
        return response.status_code


def judge(response: Any) -> None:
    at = f"{response.request.method} {response.request.url} {response.request.content!r:.500}"
    assert response.status_code < 500 or response.status_code == 503, at
    assert "Traceback" not in response.text, at
    sound(response)


async def thought_up(house: House, think: Callable[[Prober], None]) -> dict[int, int]:
    """Hypothesis works in a thread of its own; the site answers on the loop it was made on."""
    prober = Prober(house, asyncio.get_running_loop(), {})
    await asyncio.to_thread(think, prober)
    return prober.seen


# --- Every form and route, from its description ---------------------------------------------

TOKEN, HERE = "THE-TOKEN", "THE-ID"
FIELDS = (
    "answer", "text", "press", "tick", "asked", "seen", "skip", "key", "mode", "fresh", "revision",
    "reference", "code", "add", "remove",
)  # fmt: skip
"""What senders' forms carry; their routes read any field, so they don't say."""


def described(house: House) -> dict[str, Any]:
    """An OpenAPI description of the whole site; made here only, the site serves none."""
    whole = house.running.site.openapi()
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = _one_of(HERE)
            if method == "post":
                _form(path, operation)
    return whole


def _one_of(*known: str) -> dict[str, Any]:
    return {"anyOf": [*({"const": value} for value in known), {"type": "string"}]}


def _form(path: str, operation: dict[str, Any]) -> None:
    content = operation.setdefault("requestBody", {}).setdefault("content", {})
    said = next(iter(content.values()), {}).get("schema", {"type": "object", "properties": {}})
    texts = {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 3}
    fields = {name: {"anyOf": [{"type": "string"}, texts]} for name in FIELDS}
    if path.startswith("/staff"):
        fields = {"csrf": {"const": TOKEN}}
        fields |= {name: {} for name in ("next", "q", "stage", "status", "priority", "page")}
    form = {"type": "object", "properties": fields, "required": [*fields][:1]}
    if "$ref" in said:
        form = {"allOf": [said, form]}
    file = {"file": {"type": "string", "format": "binary"}}
    upload = {**form, "properties": {**fields, **file}}
    content["application/x-www-form-urlencoded"] = {"schema": form}
    content["multipart/form-data"] = {"schema": upload}


OVER = ("/staff/sign-out", "/staff/account", "/staff/account/sessions")
"""What ends the session; it is begun anew before each operation."""


async def test_no_form_and_no_route_breaks_on_what_it_is_sent(house):
    api = schemathesis.openapi.from_dict(described(house))
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 60
    if not LONG:  # half of them on each database
        operations = operations[house.running.database.sqlite :: 2]
    seen: dict[int, int] = {}
    for operation in operations:
        real = await refreshed(house, operation.path)
        codes = await thought_up(house, partial(probe, operation=operation, real=real))
        seen |= {code: seen.get(code, 0) + times for code, times in codes.items()}
    assert {200, 303, 404, 422} <= set(seen), seen
    assert seen[200] > 10


async def refreshed(house: House, path: str) -> tuple[str, str]:
    """Somebody signed in and a conversation under way: the form's token, and the address."""
    house.staff = await headteacher(house.running)
    await house.writing.begin(CONCERN)
    house.ids["conversation"] = house.writing.id
    token = house.staff.form("/sign-out").select_one("[name=csrf]")["value"]
    return token, house.address(path)


def probe(send: Prober, operation: Any, real: tuple[str, str]) -> None:
    """What fits its description, and what doesn't."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @bounded(2)
        @given(operation.as_strategy(generation_mode=mode))
        def sends(case: Any) -> None:
            send(*written_out(case, *real))

        with contextlib.suppress(Unsatisfiable):  # where there is nothing to get wrong
            sends()


def written_out(case: Any, token: str, address: str) -> tuple[str, str, dict[str, str], bytes]:
    """As it goes over the line, with what is really there in the places kept for it."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://here")).prepare()
    url = made.url.removeprefix("http://here")
    if HERE in url:
        url = re.sub(r"^[^?]*", lambda _: address, url, count=1)
    body = made.body or b""
    body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    headers = {name: value for name, value in made.headers.items() if name != "Content-Length"}
    return case.method, url, headers, body.replace(TOKEN.encode(), token.encode())


# --- Requests as no browser makes them ------------------------------------------------------

HEADERS = st.lists(
    st.tuples(
        st.sampled_from([
            "cookie", "content-type", "accept", "range", "if-none-match", "if-modified-since",
            "sec-fetch-site", "sec-fetch-dest", "origin", "referer", "x-forwarded-for", "host",
            "content-encoding", "expect", "accept-encoding", SECRET.lower(),
        ]),
        st.one_of(
            st.binary(max_size=40).filter(lambda v: not {10, 13, 0} & set(v)),
            st.sampled_from([
                b"waymark=", b"waymark=\xff\xfe", b"waymark=;;;=;", b'waymark="', b"a=b" * 2000,
                b"waymark-reply=e30.x", b"waymark-staff=x", b"__Host-waymark=x",
                b"multipart/form-data", b"multipart/form-data; boundary=",
                b"multipart/form-data; boundary=x; charset=utf-16", b"application/json",
                b"application/x-www-form-urlencoded; charset=idna", b"text/plain", b"*/*",
                b"bytes=0-0", b"bytes=9999-1", b"bytes=-5", b"same-origin", b"null",
                b"http://127.0.0.1:8000", b"Thu, 99 Foo 0000 99:99:99 GMT", b"gzip", b"the-secret",
            ]),
        ),
    ),
    max_size=5,
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([text.encode("utf-8", "surrogatepass") for text in packed(3000)]),
    st.sampled_from([
        b"answer=" + b"%ff%fe%00" * 20, b"&".join([b"answer=x"] * 1500), b"=" * 500, b"%" * 500,
        b"revision=99999999999999999999&key=" + b"k" * 5000, b"revision=%D9%A3", b"csrf[]=x",
        b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="answer"; filename="../\xff"\r\n'
        b"\r\nx\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        b"Content-Type: \x01\r\n\r\n\xff\xd8\xff\r\n--x--\r\n",
        b"[" * 100_000, b'{"a":' * 20_000, b"\xef\xbb\xbf{}", b"NaN", b'"\\ud800"', b"1e999999",
        b'{"update_id": 1e400}', b"\x00" * 1000,
    ]),
)  # fmt: skip


async def test_no_request_however_odd_breaks_anything(house):
    paths = [house.address(door.path) for door in routes(house.running.site)]
    paths += [
        "/nowhere",
        "/static/waymark.css",
        "/static/..%2f..%2fapp.py",
        "/%00",
        "//x//",
        "/%ff",
    ]

    def think(send: Prober) -> None:
        @bounded(250)
        @given(
            method=st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "PUT", "OPTIONS", "X"]),
            path=st.sampled_from(paths),
            bent=st.booleans(),
            twist=st.one_of(st.just(""), st.binary(max_size=12), st.sampled_from(ALL)),
            asked=st.one_of(st.just(""), st.binary(max_size=40)),
            headers=HEADERS,
            body=BODIES,
        )
        def sends(method, path, bent, twist, asked, headers, body) -> None:
            url = path + (escaped(twist)[:3000] if bent else "")
            url += f"?{escaped(asked)}&said=%00" if asked else ""
            send(method, url, headers, body if method in ("POST", "PUT", "X") else b"")

        sends()

    seen = await thought_up(house, think)
    assert {200, 400, 403, 404, 405} <= set(seen)


def escaped(raw: bytes | str) -> str:
    """Each byte as an address may carry it."""
    whole = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    return "".join(f"%{byte:02x}" for byte in whole)


async def test_no_file_breaks_anything(house):
    """Files as they should not be, and bytes that are none, where files are asked for."""
    form = OnForm(house.running)
    await form.begin(CONCERN)

    def think(send: Prober) -> None:
        @bounded(25)
        @given(
            content=st.one_of(st.binary(max_size=300), st.just(corpus.picture())),
            cut=st.integers(0, 400),
            name=st.sampled_from(["a.jpg", "../../x", "a\x00.jpg", "", "é" * 300, *ALL[:9]]),
            question=st.sampled_from(["letter", "danger", "x"]),
        )
        def sends(content, cut, name, question) -> None:
            file = {"file": (name, content[: len(content) - cut % (len(content) + 1)])}
            made = requests.Request(
                "POST", "http://here/", files=file, data={"add": "yes"}
            ).prepare()
            headers = {"content-type": made.headers["content-type"]}
            send("POST", f"/form/{house.ids['conversation']}/{question}/files", headers, made.body)

        sends()

    assert set(await thought_up(house, think)) <= {200, 303, 404, 422, 400}


# --- Updates as Telegram would never send them ----------------------------------------------

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just([]),
    st.just({}), st.sampled_from(ALL), st.just([[[{}]]]), st.integers(2**62, 2**70),
)  # fmt: skip


def updates(person: Person) -> dict[str, dict[str, Any]]:
    """One of each kind, as they should be."""
    message = person.message(text="Words")
    return {
        "message": message,
        "edited": {"update_id": 1, "edited_message": {**message["message"], "edit_date": 1}},
        "pressed": person.pressed("h|abcdef", 1),
        "member": person.membership("kicked"),
        "photo": person.message(photo=[{"file_id": "x", "width": 1, "height": 1}], caption="x"),
        "post": {"update_id": 2, "channel_post": message["message"]},
    }


def places(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """Where in it something else could stand."""
    yield at
    if isinstance(value, list):
        value = dict(enumerate(value))
    inner = value if isinstance(value, dict) else {}
    for key, each in inner.items():
        yield from places(each, (*at, key))


def planted(value: Any, at: tuple, junk: Any) -> Any:
    if not at:
        return junk
    copy = value.copy()
    copy[at[0]] = planted(copy[at[0]], at[1:], junk)
    return copy


async def test_no_update_breaks_the_bot_or_holds_up_the_rest(house):
    site: Running = house.running
    person = Person(site.http(), site.fake, site.channel)
    whole = updates(person)
    spots = [(kind, at) for kind, update in whole.items() for at in places(update)]
    codes: set[int] = set()

    def think(send: Prober) -> None:
        @bounded(150)
        @given(st.sampled_from(spots), JUNK, st.sampled_from(spots), JUNK, st.integers(1, 2**40))
        def sends(one, junk, two, more, number) -> None:
            update = planted({**whole[one[0]], "update_id": number}, one[1], junk)
            with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
                update = planted(update, two[1], more) if one[0] == two[0] else update
            body = json.dumps(update).encode("utf-8", "surrogatepass")
            codes.add(send("POST", "/telegram/webhook", {SECRET: "the-secret"}, body))

        sends()

    await thought_up(house, think)
    assert codes <= {200, 400}
    fine = Person(site.http(), site.fake, site.channel)
    assert "16 or over" in (await fine.start())[-1].text
