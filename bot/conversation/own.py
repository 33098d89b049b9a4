"""What we hold about someone, and what they can ask for, put into words and buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.conversation import buttons
from bot.conversation import messages as say
from bot.conversation.days import spoken_day, spoken_weekday

Message = say.Held | say.ConfirmAsk | say.Asked | say.ConfirmForget | say.Forgotten
Row = tuple[tuple[str, str], ...]
Told = tuple[str, tuple[Row, ...]]


def told(message: Message, words: Mapping[str, str], site: str) -> Iterator[Told]:
    """The words of `own.*`, with the buttons that go with them."""

    def t(key: str, **gaps: Any) -> str:
        return words[f"own.{key}"].format(site=site, **gaps)

    yield _TELLERS[type(message)](message, t)


def _held(message: say.Held, t: Callable[..., str]) -> Told:
    blocks, rows = [t("title")], []
    if message.begun:
        blocks += [t("begun"), *(_begun(one, t) for one in message.begun)]
        rows.append(((t("forget"), buttons.forget_unsent()),))
    if message.sent:
        blocks += [t("sent"), *(_sent(one, t) for one in message.sent), t("copy")]
        rows += [
            ((t("add", reference=one.reference), buttons.add_to(one.reference)),)
            for one in message.sent
            if one.may_add
        ]
        rows += [
            ((t("ask", reference=one.reference), buttons.ask_deletion(one.reference)),)
            for one in message.sent
            if one.asked_on is None
        ]
    if not message.begun and not message.sent:
        blocks.append(t("nothing"))
    blocks.append(t("address", days=message.forgotten_after))
    return "\n\n".join(blocks), tuple(rows)


def _begun(one: say.Begun, t: Callable[..., str]) -> str:
    changed, goes = spoken_day(one.changed_on), spoken_day(one.goes_on)
    return t("begun-one", title=one.title, changed=changed, goes=goes)


def _sent(one: say.SentBefore, t: Callable[..., str]) -> str:
    line = t("sent-one", title=one.title, reference=one.reference, sent=spoken_day(one.sent_on))
    if one.asked_on is None or one.answer_by is None:
        return line
    return f"{line} {t('asked-one', asked=spoken_day(one.asked_on), by=spoken_day(one.answer_by))}"


def _confirm_ask(message: say.ConfirmAsk, t: Callable[..., str]) -> Told:
    by = spoken_weekday(message.answer_by)
    words = t("confirm-ask", reference=message.reference, by=by)
    sure = ((t("ask-sure"), buttons.ask_deletion(message.reference, sure=True)),)
    return words, (sure, _not(t))


def _asked(message: say.Asked, t: Callable[..., str]) -> Told:
    by = spoken_weekday(message.answer_by)
    return t("asked", reference=message.reference, by=by), ()


def _confirm_forget(message: say.ConfirmForget, t: Callable[..., str]) -> Told:
    sure = ((t("forget-sure"), buttons.forget_unsent(sure=True)),)
    return t("confirm-forget"), (sure, _not(t))


def _forgotten(message: say.Forgotten, t: Callable[..., str]) -> Told:
    return t("forgotten"), ()


def _not(t: Callable[..., str]) -> Row:
    return ((t("not"), buttons.my_data()),)


_TELLERS: Mapping[type[Any], Callable[[Any, Callable[..., str]], Told]] = {
    say.Held: _held,
    say.ConfirmAsk: _confirm_ask,
    say.Asked: _asked,
    say.ConfirmForget: _confirm_forget,
    say.Forgotten: _forgotten,
}
MESSAGES = tuple(_TELLERS)
