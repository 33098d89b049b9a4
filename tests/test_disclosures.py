"""What somebody writes tells that someone may be unsafe: on every channel they are answered at
once, staff are called, and nothing they said is lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.store import submissions
from bot.store.models import Alert, ConversationRow, SubmissionRow
from content.schema import Question, QuestionType, Skip
from tests.drivers import people
from tests.drivers.house import headteacher
from tests.drivers.waymark import CONTENT, running
from tests.public import every
from tests.test_every_path import WORDS

TELLS = "his step dad hits him with a belt every night and he is scared to go home"
FLOW = "raise-a-concern"
CHILDS = "my-views-years-7-to-9"
HARM = ("are-you-safe", "want-a-call", "call-number")
CHANNELS = ("form", "chat", "telegram")


@pytest.fixture
async def site(tmp_path):
    async with running(tmp_path) as everything:
        yield everything


async def plainly(person, flow: str, question: Question) -> None:
    """The plainest answer that tells of nothing."""
    harmless = [o.value for o in question.options if not o.ends and not o.disclosure]
    if question.type in WORDS:
        later = question.time == "future"
        await person.say(question.id, "3 March 2027" if later else WORDS[question.type])
    elif question.type is QuestionType.FILE:
        await person.skip(question.id, Skip.SKIPPED)
    elif question.type is QuestionType.CARD:
        await person.choose(question.id, "read")
    elif question.type is QuestionType.CHOICES:
        await person.tick(question.id, harmless[:1])
    elif question.type.counts and question.style != "scale":
        await person.say(question.id, str(question.min))
    else:
        await person.choose(question.id, (harmless or [str(question.min)])[0])


def wordy(flow: str, question: str) -> bool:
    asked = CONTENT.flows[flow].by_id.get(question)
    return asked is not None and asked.type is QuestionType.TEXT and asked.long


async def until(person, flow: str, stop) -> str:
    """Plain answers as far as this; where they are then."""
    for _ in range(120):
        here = await person.asked()
        if here in ("review", "sent", "ended") or stop(here):
            return here
        await plainly(person, flow, CONTENT.flows[flow].by_id[here])
    raise AssertionError("never came so far")


async def settled(person) -> None:
    """What is asked upon harm, answered: safe, and no call."""
    assert await person.asked() == "are-you-safe"
    await person.choose("are-you-safe", "yes")
    assert await person.asked() == "want-a-call"
    await person.choose("want-a-call", "no")


async def alerts(site) -> list:
    async with site.database.reading() as db:
        return [await submissions.alert(db, row.id) for row in await every(site, Alert)]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_in_the_first_answer(site, channel):
    person = people.on(channel, site)
    await person.begin(FLOW)
    here = await until(person, FLOW, lambda q: wordy(FLOW, q))
    before = await every(site, Alert)
    assert before == []
    await person.say(here, TELLS)
    (alert,) = await alerts(site)
    assert (alert.words, alert.urgency, alert.question) == (TELLS, "urgent", here)
    await settled(person)
    onward = await person.asked()
    assert onward not in (*HARM, here), "the place was kept"
    assert await until(person, FLOW, lambda q: False) == "review"
    await person.send()
    (row,) = await every(site, SubmissionRow)
    assert row.priority == "urgent"
    (alert,) = await alerts(site)
    assert alert.submission == row.id
    staff = await headteacher(site)
    await staff.go("/staff")
    assert row.handle in staff.text
    await staff.open(row.id)
    assert TELLS in staff.text, "their words are whole"


@pytest.mark.parametrize("channel", ["form", "chat"])
async def test_a_child_is_answered_in_their_words(site, channel):
    person = people.on(channel, site)
    await person.begin(CHILDS)
    here = await until(person, CHILDS, lambda q: wordy(CHILDS, q))
    await person.say(here, "i dont like it when he comes in my room at night")
    (alert,) = await alerts(site)
    assert alert.urgency == "urgent"
    if channel == "form":  # the page of its own that comes first
        await person.open(f"/form/{person.id}/{here}/notice")
    assert CONTENT.notices["unsafe-child"].title in person.page.text
    assert "Childline" in person.page.text
    await person.open(f"/{channel}/{person.id}")
    await settled(person)
    await until(person, CHILDS, lambda q: False)
    assert await person.asked() == "review"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_in_an_edit_of_an_old_answer(site, channel):
    person = people.on(channel, site)
    await person.begin(FLOW)
    first = await until(person, FLOW, lambda q: wordy(FLOW, q))
    await person.say(first, "He has missed three maths lessons.")
    second = await person.asked()
    await person.edit(first, TELLS)
    (alert,) = await alerts(site)
    assert (alert.words, alert.question) == (TELLS, first)
    await settled(person)
    assert await person.asked() == second


@pytest.mark.parametrize("channel", CHANNELS)
async def test_in_a_draft_that_is_left(site, channel):
    person = people.on(channel, site)
    await person.begin(FLOW)
    here = await until(person, FLOW, lambda q: wordy(FLOW, q))
    await person.say(here, TELLS)
    assert await every(site, SubmissionRow) == []
    staff = await headteacher(site)
    (alert,) = await alerts(site)
    await staff.go("/staff")
    assert f"/staff/alerts/{alert.id}" in staff.response.text
    await staff.go(f"/staff/alerts/{alert.id}")
    assert TELLS in staff.text
    assert "hits him" in staff.text


@pytest.mark.parametrize("channel", CHANNELS)
async def test_said_again_calls_nobody_again(site, channel):
    person = people.on(channel, site)
    await person.begin(FLOW)
    here = await until(person, FLOW, lambda q: wordy(FLOW, q))
    await person.say(here, TELLS)
    await settled(person)
    await person.edit(here, TELLS)
    assert len(await alerts(site)) == 1
    assert await person.asked() not in HARM


async def test_under_a_picture_on_telegram(site):
    person = people.on("telegram", site)
    await person.begin(FLOW)
    picture = [{"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1}]
    await person.person.send(photo=picture, caption=TELLS)
    (alert,) = await alerts(site)
    assert alert.words == TELLS
    assert await person.asked() == "are-you-safe"


async def test_to_nothing_that_was_begun(site):
    person = people.on("telegram", site).person
    await person.start()
    await person.tap("Yes, I am 16 or over")
    await person.say(TELLS)
    (alert,) = await alerts(site)
    assert alert.words == TELLS
    assert await every(site, ConversationRow) == []
    assert "999" in person.last.text + "".join(m.text for m in person.shown[-3:])


async def test_by_somebody_who_has_not_said_how_old_they_are_help_comes_and_nothing_is_kept(site):
    person = people.on("telegram", site).person
    await person.say(TELLS)
    assert "999" in "".join(m.text for m in person.shown)
    assert await every(site, Alert) == []


async def test_after_it_was_sent(site):
    person = people.on("chat", site)
    await person.begin(FLOW)
    await until(person, FLOW, lambda q: False)
    await person.send()
    (row,) = await every(site, SubmissionRow)
    form = person.page.one("form")
    await person.send_form(form, text=TELLS)
    (alert,) = await alerts(site)
    assert (alert.words, alert.submission) == (TELLS, row.id)


async def test_the_words_are_sealed(site):
    person = people.on("form", site)
    await person.begin(FLOW)
    here = await until(person, FLOW, lambda q: wordy(FLOW, q))
    await person.say(here, TELLS)
    async with site.database.reading() as db:
        kept = (await db.execute(sa.select(*Alert.__table__.columns))).one()
    assert "belt" not in str(kept)
    assert kept.words
