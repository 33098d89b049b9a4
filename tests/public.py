"""What the tests of the public pages share: a site, people on it, and what was kept."""

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import ConversationRow
from content.schema import Question, QuestionType, Skip
from tests import opened
from tests.drivers.waymark import CONTENT, Running, running
from tests.drivers.web import OnChat, OnForm, Page

CONCERN = "raise-a-concern"
CHILD = "my-views-years-3-to-6"


@pytest.fixture
async def site(tmp_path):
    async with running(tmp_path) as everything:
        yield everything


@pytest.fixture
async def form(site) -> OnForm:
    return OnForm(site)


@pytest.fixture
async def chat(site) -> OnChat:
    return OnChat(site)


async def every(site: Running, table: type, *columns: str) -> list:
    async with site.database.reading() as db:
        wanted = [getattr(table, name) for name in columns] or list(table.__table__.columns)
        return list((await db.execute(sa.select(*wanted))).all())


async def answers(site: Running) -> dict:
    (row,) = await opened.rows(site.waymark, ConversationRow)
    return {name: answer["values"] for name, answer in row.state["answers"].items()}


async def plainly(person: OnForm | OnChat, flow: str) -> None:
    """Answer everything that is asked in the plainest harmless way, up to the review."""
    for _ in range(90):
        at = await person.asked()
        question = CONTENT.flows[flow].by_id.get(at)
        if question is None:
            return
        harmless = [o.value for o in question.options if not o.ends and not o.disclosure]
        if question.type is QuestionType.CARD:
            await person.choose(at, "read")
        elif question.type is QuestionType.FILE:
            await person.skip(at, Skip.SKIPPED)
        elif question.type is QuestionType.CHOICES:
            await person.tick(at, harmless[:1])
        elif question.options:
            await person.choose(at, "not-now" if at == "danger" else harmless[0])
        elif question.style == "scale":
            await person.choose(at, str(question.min))
        else:
            await person.say(at, plain(question))
    raise AssertionError("it never ends")


def plain(question: Question) -> str:
    """Words that a question takes."""
    if question.type.counts:
        return str(question.min)
    if question.type is QuestionType.DATE:
        return "3 March 2026" if question.time == "past" else "3 March 2027"
    return PLAIN.get(question.type, "All is well.")


PLAIN = {
    QuestionType.PHONE: "07700 900123",
    QuestionType.EMAIL: "pat@example.org",
}


async def sent(person: OnForm | OnChat, flow: str = CHILD) -> tuple[str, str]:
    """Send one; its reference and return code."""
    await person.begin(flow)
    await plainly(person, flow)
    await person.send()
    codes = [code.get_text() for code in person.page.html.select(".wm-code")]
    return codes[0], codes[1]


async def reach(form: OnForm, question: str, choosing: dict[str, str]) -> Page:
    """Answer plainly up to a question, choosing what leads there."""
    for _ in range(90):
        at = await form.asked()
        if at == question:
            return form.page
        if at in choosing:
            await form.answer(at, choosing[at])
            continue
        asked = CONTENT.flows[form.flow].by_id[at]
        if asked.type is QuestionType.FILE:
            await form.skip(at, Skip.SKIPPED)
            continue
        harmless = [o.value for o in asked.options if not o.ends and not o.disclosure]
        first = "not-now" if at == "danger" else harmless[0] if harmless else ""
        await form.answer(at, first or plain(asked))
    raise AssertionError(f"{question} was never asked")


def break_commits(monkeypatch) -> None:
    async def fail(connection):
        raise OSError("the disk is full")

    monkeypatch.setattr(AsyncConnection, "commit", fail)
