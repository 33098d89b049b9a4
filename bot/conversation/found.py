"""What fits a question somebody asked, put into words; and the facts of a row, wherever shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.conversation import buttons
from bot.conversation import messages as say
from bot.conversation.days import spoken_day
from bot.finding import Result
from content.schema import Entitlement, Flow, Misconception, ServiceAnswer, Sourced

Say = Callable[..., str]
Row = tuple[tuple[str, str], ...]


def told(message: say.Found, t: Say) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """One text with its buttons for each thing found; or that nothing was."""
    if not message.results:
        blocks = [t("found.nothing"), message.who.answer if message.who else ""]
        starts: tuple[Row, ...] = tuple(
            ((flow.title, buttons.begin(flow.id)),) for flow in message.people
        )
        yield "\n\n".join(filter(None, blocks)), starts
    for at, result in enumerate(message.results):
        text, rows = "\n".join(_told(result, t)), _buttons(result, t)
        yield (f"{t('found.title')}\n\n{text}" if at == 0 else text), rows


def _told(result: Result, t: Say) -> Iterator[str]:
    thing = result.document.thing
    yield f"▪ {_title(result, t)}"
    if isinstance(thing, Entitlement):
        yield thing.what
        if thing.unsure:
            yield thing.unsure
        yield from facts(thing, t)
    elif isinstance(thing, ServiceAnswer):
        yield thing.answer
        yield source(thing, t)
    elif isinstance(thing, Misconception):
        yield thing.truth
        yield source(thing, t)
    else:
        yield result.document.summary


def _title(result: Result, t: Say) -> str:
    said = isinstance(result.document.thing, Misconception)
    title = result.document.title
    return t("found.people-say", said=title.rstrip(".")) if said else title


def _buttons(result: Result, t: Say) -> tuple[Row, ...]:
    thing = result.document.thing
    return (((thing.title, buttons.begin(thing.id)),),) if isinstance(thing, Flow) else ()


def facts(row: Entitlement, t: Say) -> Iterator[str]:
    """How much, what else must be true, who decides, how to get it, and where we read it."""
    if row.amount:
        yield t("ask.entitlement-amount", amount=row.amount, year=row.year or "")
    if row.condition:
        yield t("ask.entitlement-condition", condition=row.condition)
    yield t("ask.entitlement-decides", decides=row.decides)
    yield t("ask.entitlement-how", how=row.how)
    yield source(row, t)


def source(row: Sourced, t: Say) -> str:
    read = row.sources[0]
    return t(
        "ask.entitlement-source",
        title=read.title,
        publisher=read.publisher,
        dated=f", {read.dated}" if read.dated else "",
        checked=spoken_day(row.checked),
    )
