"""Where a conversation stands, as its pages need it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

from fastapi.responses import RedirectResponse

from bot import intake, periods
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.intake import Received
from bot.wiring import Waymark
from content.schema import Channel
from web.public import places, told
from web.public.turns import new_key
from web.security import Browser

SAID = frozenset(
    {
        "changed",
        "no-longer-asked",
        "changed-since",
        "not-ready",
        "sent-stays",
        "file-added",
        "file-removed",
        "flow-changed",
        "flow-withdrawn",
    }
)
"""What a page after a redirect may have to say first; words under `form.said`."""
Kind = TypeVar("Kind", bound=say.Message)


class Standing:
    """One conversation at one moment, with what there is to say."""

    def __init__(self, waymark: Waymark, received: Received) -> None:
        assert received.turn is not None, "a page is of a conversation"
        assert received.script is not None
        self.waymark = waymark
        self.script = received.script
        self.turn = received.turn
        self.sent = received.sent
        self.conversation = received.turn.conversation
        self.messages = received.turn.messages

    def first(self, kind: type[Kind]) -> Kind | None:
        return next((m for m in self.messages if isinstance(m, kind)), None)

    @property
    def asked(self) -> str | None:
        return self.turn.asking.question.id if self.turn.asking else None

    @property
    def days(self) -> int:
        """How long it is kept after the last change."""
        return periods.days(self.waymark.content, "unfinished_conversation", self.script.flow.id)

    @cached_property
    def rows(self) -> tuple[told.Row, ...]:
        return told.rows(self.waymark, self.script, self.conversation)

    def row(self, question: str) -> told.Row | None:
        return next((row for row in self.rows if row.question.id == question), None)

    def before(self, question: str | None) -> str | None:
        """The page of the question before this one; before the end, for None."""
        return places.before(self.script, self.conversation, question)

    def frame(self) -> dict[str, Any]:
        """What every page of a conversation needs around its middle."""
        return {
            "conversation": self.conversation,
            "flow": self.script.flow,
            "language": self.conversation.language,
            "rows": self.rows,
            "notices": self.waymark.content.notices,
            "helplines": self.waymark.lines(self.waymark.clock()),
            "key": new_key(),
        }

    def says_first(self, handed_on: str) -> str | None:
        """What a page says before all else: what changed of the questions, or what the page
        before handed on."""
        own = {m.key for m in self.messages if isinstance(m, say.Say)} & {
            "flow-changed",
            "flow-withdrawn",
        }
        return next(iter(own), handed_on if handed_on in SAID else None)

    def onward(self) -> RedirectResponse:
        """To the form's page for where they are, with the sentence that goes with it."""
        words = (m.key for m in self.messages if isinstance(m, say.Say) and m.key in SAID)
        return goes(places.form(self.conversation.id, self.messages), next(words, ""))


async def look(
    waymark: Waymark,
    browser: Browser,
    conversation: str,
    event: ev.Event = ev.Resume(),  # noqa: B008  # frozen, so it may be shared
    channel: Channel = Channel.FORM,
) -> Standing:
    """Where it stands, or would stand after this event; nothing is changed.

    Raises UnknownConversation if it isn't this browser's.
    """
    received = await intake.look(waymark, channel, browser.sender, conversation, event)
    return Standing(waymark, received)


def goes(address: str, said: str = "") -> RedirectResponse:
    """On to another page, which first says this, if it is something a page may say."""
    return RedirectResponse(f"{address}?said={said}" if said in SAID else address, 303)
