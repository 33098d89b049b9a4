"""Somebody tells us something, in any field of any flow, and staff handle it: with any words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot import intake
from bot.conversation import events as ev
from bot.inbound import Inbound, Received
from bot.store.models import Alert, SubmissionRow
from content.schema import Audience, Channel, Flow, Question, QuestionType, Skip
from content.walk import Way, ways
from tests.drivers.house import House, one, routes
from tests.drivers.staff import Staff
from tests.drivers.waymark import Running
from tests.drivers.web import OnForm
from tests.headers import sound
from tests.test_every_path import WORDS

CONCERN = "raise-a-concern"
HARMLESS = "All is well."
WORST = "'\"><b>zqx"
"""Short enough for any field."""
TYPED = (
    QuestionType.TEXT,
    QuestionType.NUMBER,
    QuestionType.MONEY,
    QuestionType.DATE,
    QuestionType.PHONE,
    QuestionType.EMAIL,
)


_ways: dict[str, list[Way]] = {}


def every_way(flow: Flow) -> list[Way]:
    """Walked once: it takes a while."""
    if flow.id not in _ways:
        _ways[flow.id] = list(ways(flow))
    return _ways[flow.id]


def the_fewest(flow: Flow) -> list[tuple[Way, list[Question]]]:
    """Ways that come by every field that can be typed in, each with those it is for."""
    found = every_way(flow)
    fields = [
        q for q in flow.questions if q.type in TYPED and q.style == "plain" and not q.upon_harm
    ]
    chosen = []
    while fields:
        best = max(found, key=lambda way: sum(_typed(way, q) for q in fields))
        here = [q for q in fields if _typed(best, q)]
        assert here, [q.id for q in fields]
        chosen.append((best, here))
        fields = [q for q in fields if q not in here]
    return chosen


def _typed(way: Way, question: Question) -> bool:
    """Words can be given wherever a way comes by: none leads elsewhere because of them."""
    by = question.id in way.answers
    return by and (question.type in WORDS or not way.answers[question.id] & set(Skip))


async def travel(site: Running, flow: Flow, way: Way) -> OnForm:
    """A browser in which all of this way was answered."""
    form = OnForm(site)
    form.flow = flow.id
    await form.open("/resume")
    keys = site.waymark.keys
    sender = f"web:{keys.digest('browser', form.http.cookies['waymark'])[:40]}"
    received = await go(site, flow, way, sender, Channel.FORM)
    form.id = received.conversation.id
    return form


async def go(site: Running, flow: Flow, way: Way, sender: str, channel: Channel) -> Received:
    """All of this way answered, through the one door."""
    received = None
    opening = ev.Begin(flow.id)
    if flow.submission.addition:
        opening = ev.AddTo(await first(site, flow.audience), proved=True)
    for number, event in enumerate([opening, *answers(flow, way)]):
        received = await intake.receive(
            site.waymark,
            Inbound(
                channel=channel,
                sender=sender,
                event=event,
                received_at=site.clock(),
                dedupe_key=f"{sender}:{number}",
                conversation=received.conversation.id if received else None,
            ),
        )
        assert received.turn.problem is None, event
    return received


async def first(site: Running, audience: Audience) -> str:
    """Something sent by others like them, for this to be added to; its reference."""
    flow = site.waymark.content.flows[SHORT[audience]]
    way = min(
        (way for way in every_way(flow) if way.ending and way.ending.kind == "submission"),
        key=lambda way: len(way.answers),
    )
    sender = f"web:{site.waymark.new_id()}"
    received = await go(site, flow, way, sender, Channel.FORM)
    review = ev.Submit(received.conversation.revision)
    inbound = Inbound(
        channel=Channel.FORM,
        sender=sender,
        event=review,
        received_at=site.clock(),
        dedupe_key=f"{sender}:sent",
        conversation=received.conversation.id,
    )
    sent = await intake.receive(site.waymark, inbound)
    assert sent.turn.submission is not None
    return str(sent.turn.submission.reference)


SHORT = {
    Audience.CHILD: "i-want-to-talk",
    Audience.YOUNG_PERSON: "next-steps",
    Audience.ADULT: "school-move",
}


def answers(flow: Flow, way: Way) -> list[ev.Event]:
    return [answer(flow.by_id[name], values) for name, values in way.answers.items()]


def answer(question: Question, values: frozenset[str]) -> ev.Answered | ev.Skipped:
    (value, *_) = sorted(values)
    if question.type in WORDS:
        words = "3 March 2027" if question.time == "future" else WORDS[question.type]
        return ev.Answered(question.id, text=words)
    if value in tuple(Skip):
        return ev.Skipped(Skip(value), question.id)
    if question.type is QuestionType.CARD:
        return ev.Answered(question.id, ("read",))
    if question.type is QuestionType.ENTITLEMENTS:
        return ev.Answered(question.id, ())
    return ev.Answered(question.id, tuple(values))


def sendable(text: str) -> str:
    """Half characters don't survive a browser."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


async def typed(form: OnForm, question: str, text: str) -> str:
    """Type it and send it; the page that says it back: with a problem, or opened again."""
    address = f"/form/{form.id}/{question}"
    if form.page.path != address:
        await form.open(address)
    await form.send_form(form.page.one("form.wm-question"), answer=sendable(text))
    assert form.page.status in (200, 422), form.page.status
    if form.page.status == 200:
        await form.open(address)
    sound(form.page.response)
    return form.page.response.text


# --- A concern, from beginning to end -------------------------------------------------------


@dataclass
class Words:
    """What is said in the fields of a form, and what staff write wherever they can."""

    waiting: list[str]
    """Still to be said: as much of it goes into a field as fits there."""
    short: str
    written: str

    def fill(self, most: int) -> str:
        said: list[str] = []
        for text in list(self.waiting):
            if len("\n".join([*said, text])) <= most:
                said.append(text)
                self.waiting.remove(text)
        return "\n".join(said) or " ".join([HARMLESS] * 22)


def harmless() -> Words:
    return Words([HARMLESS] * 400, HARMLESS, HARMLESS)


@dataclass
class Told:
    """A concern that was sent and is being handled."""

    house: House
    pages: dict[str, tuple[str, str]]
    """Every page that shows anything of it: what kind it is, and its text."""

    async def look(self, client: Any, address: str, name: str) -> None:
        self.keep(name, await client.get(address))

    def keep(self, name: str, response: Any) -> None:
        sound(response)
        if response.text:
            self.pages[name] = (response.headers["content-type"], response.text)


async def told(site: Running, words: Words, staff: Staff) -> Told:
    flow = site.waymark.content.flows[CONCERN]
    form = await said(site, flow, words)
    ids = {"conversation": form.id, "flow": CONCERN, "question": "story"}
    made = Told(House(site, form, form, staff, form, ids), {})
    ids["alerts/id_"] = await one(site, Alert.id, Alert.conversation == form.id)
    for there in ("story", "danger/notice", "check"):
        await made.look(form.http, f"/form/{form.id}/{there}", there)
    await made.look(form.http, f"/chat/{form.id}", "chat, not sent")
    await made.look(staff.http, f"/staff/alerts/{ids['alerts/id_']}", "alert, not sent")
    await form.open(f"/form/{form.id}/check")
    reference, code = re.findall(_CODES, await form.send())[:2]
    ids["submissions/id_"] = await one(
        site, SubmissionRow.id, SubmissionRow.conversation == form.id
    )
    await handled(made, sendable(words.written))
    await form.open("/reply")
    await form.send_form(form.page.one("form[action='/reply']"), reference=reference, code=code)
    assert form.page.path == "/reply/read"
    for door in routes(site.site):
        if "GET" in door.methods and "{token}" not in door.path:
            client = staff.http if door.path.startswith("/staff") else form.http
            await made.look(client, made.house.address(door.path), door.path)
    return made


_CODES = r"VS-\w{4}-\w{4}|\b(?!VS-)\w{4}-\w{4}-\w{4}\b"


async def said(site: Running, flow: Flow, words: Words) -> OnForm:
    """The way with the most to type, every field of it filled in; and somebody is not safe."""
    fields = [q for q in flow.questions if q.type is QuestionType.TEXT]
    sends = (way for way in every_way(flow) if way.ending and way.ending.kind == "submission")
    way = max(sends, key=lambda one: sum(_typed(one, q) for q in fields))
    form = await travel(site, flow, way)
    for question in fields:
        if _typed(way, question):
            roomy = (question.max or 4000) >= 300
            text = words.fill(question.max or 4000) if roomy else words.short
            await typed(form, question.id, text)
    await form.change("danger", "not-sure")
    return form


async def handled(made: Told, written: str) -> None:
    """Staff write everything that they can write."""
    staff, ids = made.house.staff, made.house.ids
    record = f"/staff/submissions/{ids['submissions/id_']}"

    def done(name: str, status: int = 200) -> None:
        assert staff.status == status, (name, staff.status, staff.text[:300])
        made.keep(name, staff.response)

    await staff.go(record)
    await staff.take()
    done("taken")
    await staff.note(ids["submissions/id_"], written)
    done("noted")
    await staff.go(f"{record}/reply")
    await staff.send("/reply/check", text=written)
    done("reply, looked at")
    await staff.send("/reply/send")
    done("replied")
    await staff.go(f"{record}/notes")
    await staff.send("/notes", text="")
    done("notes, refused", 422)
    await staff.go(f"{record}/reply")
    await staff.send("/reply/check", text=(written * 1000)[:9000])
    done("reply, refused", 422)
    await staff.go(f"{record}/status")
    await staff.send("/status", to="closed-done", outcome=written, reason=written)
    done("status, refused", 422)
    await staff.settle(ids["alerts/id_"], written)
    done("alert, settled")
    await staff.move(ids["submissions/id_"], "closed-done", "advice", written)
    done("closed")
    await staff.go("/staff?stage=closed")
    await staff.send("/staff/queue/export")
    done("export")
