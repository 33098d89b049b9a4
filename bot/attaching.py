"""Files that come with an answer: cleaned and scanned on the way in, kept as the answers say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import events as ev
from bot.conversation import files
from bot.conversation.path import Path
from bot.conversation.script import Script
from bot.conversation.state import Conversation
from bot.errors import UnknownConversation
from bot.files import cleaning
from bot.files.scanning import ScanState, scan
from bot.files.unfit import Unfit as Unfit  # channels catch this
from bot.inbound import Arrived, Inbound
from bot.store import attachments, conversations
from bot.store.conversations import Kept
from bot.store.sealing import Box
from bot.wiring import Waymark
from content.schema import FileKind, QuestionType


async def take_in(
    waymark: Waymark,
    content: bytes,
    accepts: Collection[FileKind],
    whose: Mapping[str, str | None],
) -> Arrived:
    """A file as it may be kept. Raises Unfit, or TooMuch before any work was put into it."""
    waymark.limits.count("uploads", waymark.content.policy.limits.uploads, whose, waymark.clock())
    cleaned = await cleaning.clean(content, accepts)
    state = await scan(waymark.settings.scan_command, cleaned.content)
    if state is ScanState.SUSPECT:
        raise Unfit("file-unsafe")
    return Arrived(cleaned.kind, cleaned.media_type, cleaned.content, state)


# --- In a turn's transaction --------------------------------------------------------------


def named(waymark: Waymark, inbound: Inbound) -> Inbound:
    """An arrival of files with an id for each; what anyone else put there is overwritten."""
    if not isinstance(inbound.event, ev.Added):
        return inbound
    given = tuple(files.value(file.kind, waymark.new_id()) for file in inbound.files)
    return replace(inbound, event=replace(inbound.event, files=given))


async def keep(
    db: AsyncConnection, script: Script, kept: Kept, after: Conversation, inbound: Inbound
) -> None:
    """Make what is kept the same as what the answers name: what is new is added, what was taken
    out goes."""
    had = {file.id for file in files.held(script, kept.conversation)}
    has = {file.id: file for file in files.held(script, after)}
    if gone := had - set(has):
        await attachments.drop(db, after.id, gone)
    if not isinstance(inbound.event, ev.Added):
        return
    for value, arrived in zip(inbound.event.files, inbound.files, strict=True):
        file = has.get(value.partition(":")[2])
        if file is not None and file.id not in had:
            await attachments.add(
                db,
                kept.box,
                arrived.content,
                id=file.id,
                conversation=after.id,
                question=file.question,
                kind=file.kind.value,
                media_type=arrived.media_type,
                scan=arrived.scan.value,
                made_at=inbound.received_at,
            )


async def file(db: AsyncConnection, kept: Kept, box: Box, submission: str, walked: Path) -> None:
    """The files of a path go with what was sent, sealed as that is; any others are dropped."""
    ids = [
        file.id
        for step in walked.asked
        if step.question.type is QuestionType.FILE
        for file in files.listed(step.question.id, step.answer.values)
    ]
    await attachments.file(db, kept, submission, box, ids)


# --- Afterwards ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A file for somebody to see or hear."""

    kind: FileKind
    media_type: str
    content: bytes


async def shown(waymark: Waymark, sender: str, conversation: str, id_: str) -> Shown:
    """A file that this sender added and has not sent yet.

    Raises UnknownConversation for anything else.
    """
    async with waymark.database.reading() as db:
        kept = await conversations.load(db, conversation)
        if kept is None or kept.sender != sender:
            raise UnknownConversation(conversation)
        row = await attachments.unsent(db, conversation, id_)
        if row is None:
            raise UnknownConversation(conversation)
        content = attachments.opened(row, kept.box)
    return Shown(FileKind(row.kind), row.media_type, content)
