"""Nothing that anybody types does anything, wherever it is shown: the corpus in injections.py
through every field, and every page, message and file that shows it looked at."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from bs4 import BeautifulSoup

from bot.conversation.answers import tidy
from bot.store.models import Audit, SubmissionRow
from content.schema import Channel, Limit, Question, QuestionType
from tests.drivers.house import headteacher, routes
from tests.drivers.staff import Staff
from tests.drivers.telegram import Person
from tests.drivers.telling import (
    CONCERN,
    HARMLESS,
    TYPED,
    WORST,
    Words,
    go,
    harmless,
    sendable,
    the_fewest,
    told,
    travel,
    typed,
)  # fmt: skip
from tests.drivers.waymark import SERVED, Running, deafened, running, unhurried
from tests.drivers.web import OnForm
from tests.headers import sound
from tests.injections import ALL, FAMILIES, MARK, SUM, packed
from tests.looked import READERS, same, shape
from web.casework import passwords


def tireless():
    """Nobody is asked to rest, not even whoever tries wrong codes."""
    content = unhurried(SERVED["staffordshire"])
    free = Limit(minutes=1, sender=10**6, place=10**6, everyone=10**6)
    limits = content.policy.limits.model_copy(update={"wrong_codes": free})
    return replace(content, policy=content.policy.model_copy(update={"limits": limits}))


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Running]:
    async with listened_to(tmp_path) as site:
        yield site


@asynccontextmanager
async def listened_to(folder: Path) -> AsyncIterator[Running]:
    """Afterwards neither the log nor the audit knows any of it."""
    heard = io.StringIO()
    listening = logging.StreamHandler(heard)
    async with running(folder, content=tireless(), log_level="debug") as site:
        logging.getLogger().addHandler(listening)
        deafened(site)
        yield site
        logging.getLogger("waymark").warning("the log was listened to")
        logging.getLogger().removeHandler(listening)
        async with site.database.reading() as db:
            audit = (await db.execute(sa.select(*Audit.__table__.columns))).all()
    assert MARK not in str(audit)
    assert "listened to" in heard.getvalue()
    assert MARK not in heard.getvalue()


# --- Every field of every flow --------------------------------------------------------------


async def test_whatever_is_typed_in_a_field_is_shown_as_words(site):
    """Every field gets the worst, and one of each kind of field gets everything."""
    whole: set[tuple] = set()
    for flow in site.waymark.content.flows.values():
        for way, questions in the_fewest(flow):
            form = await travel(site, flow, way)
            before = (await form.open(f"/form/{form.id}/check")).response.text
            for question in questions:
                kind = (question.type, question.long)
                roomy = question.type is not QuestionType.TEXT or question.max >= 300
                full = kind not in whole and roomy
                whole |= {kind} if full else set()
                await every_text(form, question, packed(question.max or 4000) if full else [])
            after = (await form.open(f"/form/{form.id}/check")).response.text
            assert MARK in after or not any(q.type is QuestionType.TEXT for q in questions)
            same(after, before, flow.id)
    assert len(whole) == len(TYPED) + 1


async def every_text(form: OnForm, question: Question, texts: list[str]) -> None:
    """The field looks as it does with harmless words: taken, or refused once, or thrice."""
    in_words = question.type is QuestionType.TEXT
    refused = HARMLESS * (500 if in_words else 1)
    harmless = [HARMLESS[:3], refused, refused, refused]
    if in_words and not texts:
        harmless = [refused if len(sendable(WORST)) > (question.max or 4000) else HARMLESS[:3]]
    shapes = [shape(await typed(form, question.id, text)) for text in harmless]
    for text in (*texts, WORST):
        page = await typed(form, question.id, text)
        assert shape(page) in shapes, (question.id, text)
        assert SUM not in page, question.id
        shown = form.page.one("[name=answer]")
        said = shown.get_text() if shown.name == "textarea" else shown.get("value", "")
        assert MARK in said.casefold(), (question.id, text)
        if question.type is QuestionType.TEXT and form.page.status == 200:
            assert said.strip("\n") == tidy(sendable(text)), question.id


# --- The other fields -----------------------------------------------------------------------


async def test_codes_and_addresses_are_said_back_as_words(site):
    visitor, desk = OnForm(site), Staff(site.site)
    for address, fields in {"/resume": ("code",), "/reply": ("reference", "code")}.items():
        twin = ""
        for text in [HARMLESS, *packed(1500)]:
            await visitor.open(address)
            form = visitor.page.one(f"form[action='{address}']")
            await visitor.send_form(form, **dict.fromkeys(fields, sendable(text)))
            assert visitor.page.status == 422
            sound(visitor.page.response)
            twin = twin or visitor.page.response.text
            same(visitor.page.response.text, twin, address)
    twin = ""
    for text in [HARMLESS, *packed(1500)]:
        await desk.go("/staff/sign-in")
        await desk.send("/staff/sign-in", email=sendable(text), password=sendable(text))
        assert desk.status == 422
        sound(desk.response)
        twin = twin or desk.response.text
        same(desk.response.text, twin, "sign-in")


async def test_what_was_typed_when_the_session_ended_is_given_back_as_words(site):
    stranger = site.http()
    twin = ""
    for text in [HARMLESS, *packed(3000)]:
        fields = {"text": sendable(text)}
        page = await stranger.post("/staff/submissions/x/notes", data=fields)
        assert page.status_code == 401
        assert text == HARMLESS or MARK in page.text
        sound(page)
        twin = twin or page.text
        same(page.text, twin, "signed out")


QUERIES = (
    "from", "said", "done", "next", "stage", "status", "priority", "kind", "owner", "unread",
    "page", "q", "reason", "mode",
)  # fmt: skip
"""What pages read from their address."""


ROUNDS = 5


def query(number: int) -> str:
    """Each name with another part of the corpus; in all rounds together, the whole of it."""
    texts = [text.encode("utf-8", "surrogatepass") for text in packed(300)]
    return "&".join(
        f"{name}={quote(texts[(at * ROUNDS + number) % len(texts)], safe='')}"
        for at, name in enumerate(QUERIES)
    )


async def test_nothing_in_an_address_does_anything(site):
    desk = await headteacher(site)
    visitor = site.http()
    for door in routes(site.site):
        path = door.path
        client = desk.http if path.startswith("/staff") else visitor
        if "GET" not in door.methods:
            continue
        there = re.sub(r"\{[^}]+\}", "x", path)
        twin = await client.get(there, params=dict.fromkeys(QUERIES, "well"))
        for number in range(ROUNDS):
            response = await client.get(f"{there}?{query(number)}")
            assert response.status_code == twin.status_code, (path, number)
            sound(response)
            onward = response.headers.get("location", "/")
            assert re.fullmatch(r"/(?!/)[\w/?=&%.:;!'()*~+$,@#-]*", onward), onward
            if response.text:
                READERS[response.headers["content-type"]](response.text, twin.text, path)
        if "{" in path:
            for text in (WORST, *packed(1500)):
                wild = re.sub(
                    r"\{[^}]+\}", quote(sendable(text), safe="").replace("\\", "%5c"), path
                )
                response = await client.get(wild)
                assert response.status_code in (303, 404, twin.status_code), wild
                sound(response)


# --- Everything that shows it ---------------------------------------------------------------


async def test_every_page_shows_what_was_said_and_written_as_words(tmp_path):
    waiting, twin, seen = [text for text in ALL if len(text) <= 1500], {}, ""
    for number, written in enumerate((HARMLESS, *packed(2900))):
        async with listened_to(tmp_path / str(number)) as site:
            words = Words(waiting, WORST, written) if twin else harmless()
            name = f"={WORST}" if twin else "Ann"
            there = await told(site, words, await headteacher(site, name))
        twin = twin or there.pages
        for name, (kind, page) in there.pages.items():
            READERS[kind](page, twin[name][1], name)
            seen += page
    assert waiting == [], "some of it was not said"
    words = BeautifulSoup(seen, "html.parser").get_text()
    for text in ALL:
        if len(text) <= 1500:
            (first, *_) = tidy(sendable(text)).split("\n")
            assert first.strip() in words, text


# --- Telegram and JSON ----------------------------------------------------------------------


async def test_in_telegram_it_is_words_and_no_more(site):
    person = Person(site.http(), site.fake, site.channel)
    await person.start("next-steps")
    await person.tap("Yes, I am 16 or over")
    for text in (*packed(1000), *FAMILIES["chat"], *FAMILIES["letters"]):
        await person.say(text)
        assert person.status == 200, text
    for text in map(sendable, packed(1000)):
        await person.start(quote(text)[:64])
        await person.press(text[:64])
        await person.edit(text)
        assert person.status == 200
    for method, parameters in site.fake.calls:
        assert "parse_mode" not in parameters, method
        assert not [name for name in parameters if "entities" in name], method
        assert SUM not in str(parameters)
        if "link_preview_options" in parameters:
            assert parameters["link_preview_options"] == {"is_disabled": True}
    assert site.fake.refusals == []


async def test_a_letter_on_telegram_says_exactly_what_was_written(site):
    person = Person(site.http(), site.fake, site.channel)
    await person.start()
    await person.tap("Yes, I am 16 or over")
    flow = site.waymark.content.flows[CONCERN]
    (way, _), *_ = the_fewest(flow)
    channel = Channel.TELEGRAM
    await go(site, flow, way, person.address, channel)
    await person.send(text="/check")
    await person.tap("Send my answers")
    staff = await headteacher(site)
    async with site.database.reading() as db:
        id_ = (await db.scalars(sa.select(SubmissionRow.id))).one()
    for text in map(sendable, packed(2900)):
        before = len(person.shown)
        await staff.reply(id_, text)
        await site.channel.delivery.run_due()
        said = "".join(shown.text for shown in person.shown[before:])
        wanted = text.replace("\r\n", "\n").strip()
        assert "".join(wanted.split()) in "".join(said.split())
