"""What was done to a submission, from its audit lines, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.store.chain import Entry
from web.casework import stages
from web.casework.reasons import PURPOSES
from web.casework.stages import Status


@dataclass(frozen=True)
class Event:
    """Somebody did something; `times` in a row."""

    actor: str
    words: str
    at: datetime
    times: int = 1
    why: str = ""
    """What they said for it."""


_PLAIN = {
    "submission.filed": "sent it through {channel}; priority {priority}",
    "submission.opened": "opened it",
    "submission.taken": "took it",
    "submission.assigned": "gave it to {to}",
    "submission.unassigned": "gave it back to nobody",
    "submission.status": "changed the status from {was} to {became}",
    "submission.closed": "closed it: {became}. Outcome: {outcome}",
    "submission.added-to": "added something to it",
    "submission.restricted": "restricted it",
    "submission.unrestricted": "ended its restriction",
    "submission.shared": "shared it with {to}",
    "submission.unshared": "stopped sharing it with {to}",
    "access.reason": "gave a reason to open it: {purpose}",
    "access.glass": "broke the glass to open it: {purpose}",
    "access.noted": "took note that the glass was broken",
    "file.downloaded": "downloaded {name}",
    "file.shown": "looked at or listened to {name}",
    "note.written": "wrote a note",
    "reply.written": "replied",
    "reply.read": "read the reply",
    "submission.held": "placed a legal hold on it",
    "submission.hold-lifted": "lifted the legal hold",
    "submission.kept-longer": "said to keep it until {until}",
    "request.made": "asked for {kind}",
    "request.proposed": "proposed an answer to the request for {kind}",
    "request.sent-back": "did not agree to the answer to the request for {kind}",
    "request.done": "answered the request for {kind}",
    "request.refused": "refused the request for {kind}",
    "request.copied": "took the full copy",
    "copy.taken": "took a copy",
    "alert.taken": "said that they are looking at the safety alert",
    "alert.proposed": "said that the safety alert needs no further action",
    "alert.agreed": "agreed that the safety alert needs no further action",
    "alert.not-agreed": "did not agree that the safety alert needs no further action",
    "alert.settled": "said what was done about the safety alert",
}
_NOT_ITS_HISTORY = ("access.refused", "access.seen")
"""About who saw it, for the headteacher: the page on access tells it."""
_SAID_WHY = ("access.reason", "access.glass")
_KINDS = {"copy": "a full copy", "correction": "a correction", "deletion": "a deletion"}
_CHANNELS = {"telegram": "Telegram", "chat": "the browser chat", "form": "the form"}


def told(
    rows: Sequence[Entry], names: Mapping[str, str], reasons: Mapping[str, str]
) -> list[Event]:
    """Newest first; the same thing done over and over by the same person is one line."""
    events: list[Event] = []
    for row in rows:
        if row.action in _NOT_ITS_HISTORY:
            continue
        why = reasons.get(row.detail.get("grant", ""), "") if row.action in _SAID_WHY else ""
        event = Event(_actor(row.actor, names), _words(row, names), row.at, why=why)
        before = events[-1] if events else None
        if before and replace(before, at=event.at, times=1) == event:
            events[-1] = replace(event, times=before.times + 1)
        else:
            events.append(event)
    return events[::-1]


def _actor(actor: str, names: Mapping[str, str]) -> str:
    return {"sender": "The sender", "waymark": "Waymark"}.get(actor) or names.get(actor, "Someone")


def _words(row: Entry, names: Mapping[str, str]) -> str:
    plain = _PLAIN.get(row.action)
    if plain is None:
        return str(row.action.split(".")[-1].replace("-", " "))
    return plain.format_map(_Gaps(_gaps(row.detail, names)))


def _gaps(detail: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    gaps = {name: str(value) for name, value in detail.items()}
    for name in ("was", "became"):
        if name in gaps:
            gaps[name] = f"“{stages.LABELS[Status(gaps[name])]}”"
    if "to" in gaps:
        gaps["to"] = names.get(gaps["to"], "someone")
    if "purpose" in gaps:
        gaps["purpose"] = f"“{PURPOSES.get(gaps['purpose'], gaps['purpose'])}”"
    if "outcome" in gaps:
        gaps["outcome"] = stages.OUTCOMES.get(gaps["outcome"], gaps["outcome"])
    if "kind" in gaps:
        gaps["kind"] = _KINDS.get(gaps["kind"], gaps["kind"])
    if "channel" in gaps:
        gaps["channel"] = _CHANNELS.get(gaps["channel"], gaps["channel"])
    return gaps


class _Gaps(dict[str, str]):
    """A line from an older or newer version may lack something; history still shows it."""

    def __missing__(self, key: str) -> str:
        return "?"
