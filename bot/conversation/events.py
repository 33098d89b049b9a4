"""What can happen in a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from content.schema import Skip


@dataclass(frozen=True)
class Start:
    """Begin, or come back: the intro and the first question, or an offer to carry on."""


@dataclass(frozen=True)
class Resume:
    """Carry on where they were."""


@dataclass(frozen=True)
class Typed:
    """Words typed into a chat. `asked` is the question they saw, where the channel knows."""

    text: str
    asked: str | None = None
    source: str | None = None
    late: bool = False
    """It reached us after something the person did later."""


@dataclass(frozen=True)
class Answered:
    """An answer to a named question: buttons tapped, boxes ticked, or a form's field."""

    question: str
    values: tuple[str, ...] | None = None
    text: str | None = None
    source: str | None = None
    late: bool = False


@dataclass(frozen=True)
class Toggled:
    """One choice of several, ticked or unticked."""

    question: str
    value: str


@dataclass(frozen=True)
class Picked:
    """Done ticking, or done adding files."""

    question: str


@dataclass(frozen=True)
class Added:
    """Files added to an answer. What stands for each (files.py) is filled in at the door."""

    question: str
    files: tuple[str, ...] = ()
    done: bool = False
    """And nothing more: on to the next question."""


@dataclass(frozen=True)
class Removed:
    """One file taken out of an answer."""

    question: str
    file: str


@dataclass(frozen=True)
class Unfit:
    """A file that could not be taken: a key of `conversation.problem`, and its numbers."""

    question: str
    key: str
    gaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Skipped:
    """I'd rather not, or I don't know. Of the question being asked, if none is named."""

    skip: Skip
    question: str | None = None


@dataclass(frozen=True)
class Back:
    """To the question before."""

    asked: str | None = None


@dataclass(frozen=True)
class AnotherWay:
    """Ask me that in other words."""

    question: str


@dataclass(frozen=True)
class GoTo:
    """Change one answer."""

    question: str


@dataclass(frozen=True)
class Check:
    """Check your answers."""


@dataclass(frozen=True)
class Submit:
    """Send, as reviewed at this revision."""

    revision: int


@dataclass(frozen=True)
class Stop:
    """Not now; keep it for later."""


@dataclass(frozen=True)
class Delete:
    """Forget what I said."""

    sure: bool = False


@dataclass(frozen=True)
class MyData:
    """What do you hold about me?"""


@dataclass(frozen=True)
class Help:
    """What can I do here?"""


@dataclass(frozen=True)
class HelpNow:
    """I need help now."""


@dataclass(frozen=True)
class Find:
    """They ask us something: what fits it? Then the same question again."""

    text: str


@dataclass(frozen=True)
class Speak:
    """Carry on in another language."""

    language: str


@dataclass(frozen=True)
class Edited:
    """A message they sent before now reads differently."""

    source: str
    text: str


@dataclass(frozen=True)
class Unreadable:
    """Something came that is no answer: a sticker, a voice note where words were asked ..."""

    kind: str
    caption: str | None = None
    """What was written under it."""


@dataclass(frozen=True)
class Open:
    """At the door: `/start`, with or without a payload, or the front page."""

    payload: str = ""


@dataclass(frozen=True)
class SaidAge:
    """Whether they are 16 or over; then what they came for."""

    over_16: bool
    payload: str = ""


@dataclass(frozen=True)
class Look:
    """Show what can be done here of one group; of none, everything."""

    group: str = ""


@dataclass(frozen=True)
class Begin:
    """Start this flow; `fresh` where they chose to start again."""

    flow: str
    fresh: bool = False


@dataclass(frozen=True)
class AddTo:
    """Add something to what was sent before."""

    reference: str
    proved: bool = False
    """They opened it with its code; otherwise it must have come from their own address."""


@dataclass(frozen=True)
class Lost:
    """A button or a link that leads nowhere any more."""


@dataclass(frozen=True)
class AskDeletion:
    """Please delete what I sent; staff decide, so it is asked for twice only by us."""

    reference: str
    sure: bool = False


@dataclass(frozen=True)
class ForgetUnsent:
    """Delete whatever I began here and did not send."""

    sure: bool = False


Own = MyData | AskDeletion | ForgetUnsent
"""About all we hold of them. In a chat that is theirs alone bot/own.py answers."""
AtTheDoor = Open | SaidAge | Look | Begin | AddTo | Lost | AskDeletion | ForgetUnsent
"""Before there is a conversation; answered by bot/intake.py."""

Event = (
    Start
    | Resume
    | Typed
    | Answered
    | Toggled
    | Picked
    | Added
    | Removed
    | Unfit
    | Skipped
    | Back
    | AnotherWay
    | GoTo
    | Check
    | Submit
    | Stop
    | Delete
    | MyData
    | Help
    | HelpNow
    | Find
    | Speak
    | Edited
    | Unreadable
)
