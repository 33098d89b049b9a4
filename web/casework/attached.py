"""Files that came with a submission: what staff are told of them, and one of them opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import UnknownSubmission
from bot.files.scanning import ScanState
from bot.store import attachments, audit, sealing, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import FileKind
from web.casework import rows
from web.casework.permissions import Action, Person

WORDS = {FileKind.PICTURE: "Picture", FileKind.VOICE: "Voice note", FileKind.DOCUMENT: "PDF"}
SCANNED = {
    ScanState.UNSCANNED: "Not scanned: no scanner is set up",
    ScanState.PENDING: "Waiting to be scanned. You can open it when that is done",
    ScanState.CLEAN: "Scanned: nothing found",
    ScanState.SUSPECT: "The scanner says this could do harm. Nobody can open it",
    ScanState.ERROR: "It could not be scanned, so nobody can open it. Tell whoever runs this site",
}


@dataclass(frozen=True)
class Attached:
    """A file as a list shows it, under a name of ours."""

    id: str
    kind: FileKind
    number: int
    size: int
    media_type: str
    question: str
    scan: ScanState
    open: bool
    """Whether anybody may open it."""

    @property
    def title(self) -> str:
        return f"{WORDS[self.kind]} {self.number}"

    @property
    def name(self) -> str:
        """As it is saved, less its ending."""
        return self.title.lower().replace(" ", "-")

    @property
    def size_words(self) -> str:
        kilobytes = max(1, round(self.size / 1024))
        return f"{kilobytes} KB" if kilobytes < 1000 else f"{kilobytes / 1024:.1f} MB"

    @property
    def scan_words(self) -> str:
        return SCANNED[self.scan]


@dataclass(frozen=True)
class Opened:
    """A file itself."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


def attached(waymark: Waymark, listed: Sequence[Found]) -> list[Attached]:
    """In the order they were sent, numbered by kind."""
    numbers: Counter[str] = Counter()
    found = []
    for row in listed:
        numbers[row.kind] += 1
        state = _state(waymark, row.scan)
        found.append(
            Attached(
                id=row.id,
                kind=FileKind(row.kind),
                number=numbers[row.kind],
                size=row.size,
                media_type=row.media_type,
                question=row.question,
                scan=state,
                open=state in (ScanState.UNSCANNED, ScanState.CLEAN),
            )
        )
    return found


def _state(waymark: Waymark, kept: str) -> ScanState:
    """A file from before there was a scanner waits for it like any other."""
    state = ScanState(kept)
    waits = state is ScanState.UNSCANNED and waymark.settings.scan_command is not None
    return ScanState.PENDING if waits else state


async def open_(
    waymark: Waymark, person: Person, submission: str, file: str, action: str
) -> Opened:
    """One file; that it was opened, by whom and how, is written down.

    Raises as `rows.load` does; and UnknownSubmission for a file that isn't this submission's, or
    that nobody may open.
    """
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.OPEN_SUBMISSION, submission)
        listed = await attachments.of_submission(db, submission)
        found = next((one for one in attached(waymark, listed) if one.id == file), None)
        row = await attachments.sent(db, submission, file)
        if row is None or found is None or not found.open:
            raise UnknownSubmission(submission, wanted=Action.OPEN_SUBMISSION.value)
        content = attachments.opened(row, await sealing.box(db, submissions.owner(submission)))
        await audit.record(
            db, waymark.clock(), person.id, action, "submission", submission,
            file=file, name=found.name,
        )  # fmt: skip
    return Opened(found.name, found.media_type, content)
