"""What can be found: what is published for one council, as titles, ways to ask and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from content.loader import Content
from content.schema import (
    HELP_NOW,
    Entitlement,
    Findable,
    Flow,
    Misconception,
    ServiceAnswer,
)

Thing = Entitlement | Misconception | ServiceAnswer | Flow | None


@dataclass(frozen=True)
class Document:
    """One thing that can be found. `thing` is nothing only for help now."""

    kind: Findable
    id: str
    title: str
    summary: str
    asked: tuple[str, ...] = field(repr=False)
    """Short ways to ask for it, its title among them."""
    body: str = field(repr=False)
    thing: Thing = field(repr=False)


def documents(content: Content, authority: str) -> tuple[Document, ...]:
    """Everything that may be shown to somebody of this council."""
    return tuple(_documents(content, authority))


def _begun_by_anyone(content: Content) -> Iterator[Flow]:
    for flow in content.flows.values():
        if not flow.withdrawn and not flow.submission.addition:
            yield flow


def _documents(content: Content, authority: str) -> Iterator[Document]:
    def asked(kind: Findable, id_: str, title: str) -> tuple[str, ...]:
        return (title, *content.asked_as[kind].get(id_, ()))

    for row in content.entitlements.values():
        if row.published and (not row.who.councils or authority in row.who.councils):
            kind = Findable.ENTITLEMENT
            body = " ".join(filter(None, (row.what, row.amount, row.condition, row.decides)))
            yield Document(kind, row.id, row.title, row.what, asked(kind, row.id, row.title),
                           body, row)  # fmt: skip
    for wrong in content.misconceptions.values():
        if wrong.published:
            kind, ways = (
                Findable.CORRECTION,
                (*wrong.said, *content.asked_as[Findable.CORRECTION].get(wrong.id, ())),
            )
            yield Document(kind, wrong.id, wrong.said[0], wrong.truth, ways, wrong.truth, wrong)
    for answer in content.authorities[authority].answers:
        kind, title = Findable.ANSWER, answer.question
        yield Document(kind, answer.id, title, answer.answer.split("\n")[0],
                       asked(kind, answer.id, title), answer.answer, answer)  # fmt: skip
    for flow in _begun_by_anyone(content):
        kind = Findable.FLOW
        yield Document(kind, flow.id, flow.title, flow.summary, asked(kind, flow.id, flow.title),
                       f"{flow.summary} {flow.for_whom}", flow)  # fmt: skip
    words = content.wording["en"]
    if HELP_NOW in content.asked_as[Findable.HELP]:
        kind, title = Findable.HELP, words["pages.help-now.title"]
        ways = asked(kind, HELP_NOW, title)
        yield Document(kind, HELP_NOW, title, words["pages.help-now.lead"], ways, "", None)
