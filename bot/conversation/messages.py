"""What the engine has to say, before any channel puts it into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.conversation.path import Progress, Step
from bot.conversation.state import Answer
from bot.finding import Result
from bot.signposting import Signpost
from content.schema import Ending, Flow, Option, Question, ServiceAnswer, Skip


@dataclass(frozen=True)
class Say:
    """A sentence of the wording: `conversation.say.<key>`."""

    key: str
    gaps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Welcome:
    """What this is, who will read it, and how long it takes."""

    flow: Flow


@dataclass(frozen=True)
class Ask:
    """A question, with all a channel needs to put it."""

    question: Question
    options: tuple[Option, ...]
    skips: tuple[Skip, ...]
    progress: Progress
    answer: Answer | None
    """What they said before, if they are looking at it again."""
    picked: tuple[str, ...]
    """Ticked so far, on a question that takes several."""
    signposts: tuple[Signpost, ...]
    """On an entitlements question: what they may get."""
    changing: bool
    """They have been further along; answering takes them back there."""
    stuck: bool
    """The answer was not understood three times: offer a way round."""
    first: bool


@dataclass(frozen=True)
class Problem:
    """An answer that could not be taken: `conversation.problem.<key>` says how to put it right."""

    question: str
    key: str
    gaps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Review:
    """Check your answers. Sending carries `revision`: what was reviewed is what is sent."""

    steps: tuple[Step, ...]
    revision: int
    complete: bool
    """Ready to send; if not, this is only a look at what they have said so far."""


@dataclass(frozen=True)
class Ended:
    """The person is pointed somewhere; nothing is sent. They may still go back."""

    ending: Ending
    saved: tuple[Signpost, ...]
    """What they chose to keep."""


@dataclass(frozen=True)
class Submitted:
    """It is sent. Said only after the commit."""

    ending: Ending
    reference: str
    again: bool
    """It had been sent before; nothing was sent twice."""


@dataclass(frozen=True)
class SafetyNotice:
    """Help, at once: a notice of content/safeguarding."""

    notice: str


@dataclass(frozen=True)
class OfferResume:
    """They have answers here already: carry on, or start again?"""


@dataclass(frozen=True)
class ConfirmDelete:
    """Really delete everything they have said here?"""


@dataclass(frozen=True)
class Deleted:
    """Nothing they said here is kept."""


@dataclass(frozen=True)
class AskAge:
    """Are you 16 or over? Nothing is kept before the answer."""

    payload: str


@dataclass(frozen=True)
class TooYoung:
    """This channel is not for under-16s; the browser is."""


@dataclass(frozen=True)
class Menu:
    """What they can do here, by group; or of one group."""

    groups: Mapping[str, tuple[Flow, ...]]
    of: str = ""


@dataclass(frozen=True)
class Begun:
    """Something they began and did not send."""

    title: str
    changed_on: date
    goes_on: date


@dataclass(frozen=True)
class SentBefore:
    """Something they sent."""

    reference: str
    title: str
    sent_on: date
    asked_on: date | None = None
    """When they asked us to delete it, if that is not decided yet."""
    answer_by: date | None = None
    may_add: bool = False
    """Something can be added to it here."""


@dataclass(frozen=True)
class Held:
    """What we hold about them."""

    begun: tuple[Begun, ...]
    sent: tuple[SentBefore, ...]
    forgotten_after: int
    """Days after which an address with nothing open is forgotten."""


@dataclass(frozen=True)
class ConfirmAsk:
    """Really ask for this to be deleted? What happens then, and what can't be deleted."""

    reference: str
    answer_by: date


@dataclass(frozen=True)
class Asked:
    """They asked; a person decides by then."""

    reference: str
    answer_by: date


@dataclass(frozen=True)
class ConfirmForget:
    """Really delete whatever they did not send?"""


@dataclass(frozen=True)
class Forgotten:
    """Nothing they began here is kept any more."""


@dataclass(frozen=True)
class Found:
    """What fits a question they asked, best first."""

    results: tuple[Result, ...]
    who: ServiceAnswer | None = None
    """Who to ask, where nothing fits."""
    people: tuple[Flow, ...] = ()
    """And what brings them to a person here."""


Message = (
    Say
    | Welcome
    | Ask
    | Problem
    | Review
    | Ended
    | Submitted
    | SafetyNotice
    | OfferResume
    | ConfirmDelete
    | Deleted
    | AskAge
    | TooYoung
    | Menu
    | Held
    | ConfirmAsk
    | Asked
    | ConfirmForget
    | Forgotten
    | Found
)
