"""What a button carries: conversation, question and choice, within Telegram's 64 bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.conversation import events as ev
from content.schema import Skip


@dataclass(frozen=True)
class Pressed:
    """A button read back: which conversation it was made in, and what it means."""

    nonce: str | None
    event: ev.Event | ev.AtTheDoor


def answer(nonce: str, question: str, value: str) -> str:
    return f"a|{nonce}|{question}|{value}"


def toggle(nonce: str, question: str, value: str) -> str:
    return f"t|{nonce}|{question}|{value}"


def picked(nonce: str, question: str) -> str:
    return f"d|{nonce}|{question}"


def remove(nonce: str, question: str, file: str) -> str:
    """For browsers only: a file's id is long."""
    return f"u|{nonce}|{question}|{file}"


def skip(nonce: str, question: str, which: Skip) -> str:
    return f"k|{nonce}|{question}|{which.value}"


def back(nonce: str, question: str) -> str:
    return f"b|{nonce}|{question}"


def another_way(nonce: str, question: str) -> str:
    return f"w|{nonce}|{question}"


def change(nonce: str, question: str) -> str:
    return f"g|{nonce}|{question}"


def check(nonce: str) -> str:
    return f"c|{nonce}"


def send(nonce: str, revision: int) -> str:
    return f"s|{nonce}|{revision}"


def carry_on(nonce: str) -> str:
    return f"r|{nonce}"


def delete(nonce: str) -> str:
    return f"x|{nonce}"


def help_now(nonce: str) -> str:
    return f"h|{nonce}"


def begin(flow: str, *, fresh: bool = False) -> str:
    return f"{'F' if fresh else 'f'}|{flow}"


def look(group: str = "") -> str:
    return f"o|{group}"


def age(over_16: bool, payload: str) -> str:
    # A payload too long for a button is dropped: the person is shown the menu instead.
    token = f"{'y' if over_16 else 'n'}|{payload}"
    return token if len(token.encode()) <= 64 else token[:2]


def my_data() -> str:
    return "m|"


def add_to(reference: str) -> str:
    return f"+|{reference}"


def ask_deletion(reference: str, *, sure: bool = False) -> str:
    return f"{'Q' if sure else 'q'}|{reference}"


def forget_unsent(*, sure: bool = False) -> str:
    return "U|" if sure else "u|"


_IN_CONVERSATION: dict[tuple[str, int], Callable[..., ev.Event]] = {
    ("a", 2): lambda question, value: ev.Answered(question, values=(value,)),
    ("t", 2): ev.Toggled,
    ("d", 1): ev.Picked,
    ("u", 2): ev.Removed,
    ("k", 2): lambda question, which: ev.Skipped(Skip(which), question),
    ("b", 1): lambda question: ev.Back(question or None),
    ("w", 1): ev.AnotherWay,
    ("g", 1): ev.GoTo,
    ("c", 0): ev.Check,
    ("s", 1): lambda revision: ev.Submit(int(revision)),
    ("r", 0): ev.Resume,
    ("x", 0): lambda: ev.Delete(sure=True),
    ("h", 0): ev.HelpNow,
}
_AT_THE_DOOR: dict[str, Callable[[str], ev.Event | ev.AtTheDoor]] = {
    "f": ev.Begin,
    "F": lambda flow: ev.Begin(flow, fresh=True),
    "o": ev.Look,
    "y": lambda payload: ev.SaidAge(True, payload),
    "n": lambda payload: ev.SaidAge(False, payload),
    "+": ev.AddTo,
    "m": lambda _: ev.MyData(),
    "q": ev.AskDeletion,
    "Q": lambda reference: ev.AskDeletion(reference, sure=True),
    "u": lambda _: ev.ForgetUnsent(),
    "U": lambda _: ev.ForgetUnsent(sure=True),
}


def read(token: str) -> Pressed | None:
    """What a button means; None for anything we did not make."""
    kind, *parts = token.split("|")
    if kind in _AT_THE_DOOR and len(parts) == 1:
        return Pressed(None, _AT_THE_DOOR[kind](parts[0]))
    if not parts or (kind, len(parts) - 1) not in _IN_CONVERSATION:
        return None
    nonce, *rest = parts
    try:
        return Pressed(nonce, _IN_CONVERSATION[kind, len(rest)](*rest))
    except ValueError:
        return None
