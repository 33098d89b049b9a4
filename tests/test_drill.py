"""The restore drill: everything is lost, and comes back on a clean machine, by the commands that
docs/backup.md tells. Says at the end how long it took."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.backup.shelf import Shelf
from bot.store import attachments, sealing, staff
from bot.store.models import Audit, ConversationRow, SubmissionRow
from bot.wiring import Waymark
from content.schema import Role
from tests import corpus, opened
from tests.drivers import command
from tests.drivers.waymark import running, wired
from tests.drivers.web import OnForm, Visitor
from tests.test_public_replies import look_up
from tests.test_restore import everything
from web import demo
from web.casework import attached, record, review
from web.casework.permissions import Person

DRAWING = corpus.picture()
VIEWS = demo.Story("my-views-years-3-to-6", 5, {})
BEGUN = demo.Story("raise-a-concern", 1, {"danger": "not-now"}, until="harm")


@dataclass(frozen=True)
class Known:
    """What people have on paper."""

    reference: str
    code: str
    resume_code: str


async def a_working_day(waymark: Waymark) -> Known:
    """The invented stories; views with a drawing, a note and a reply; a concern half said."""
    await waymark.database.migrate()
    await demo.fill(waymark)
    views = await demo.Sender(waymark, "child", VIEWS).talk()
    assert views is not None
    who = await head(waymark)
    await record.open_(waymark, who, views)
    await review.write_note(waymark, who, views, "Ring after school.", "once")
    await review.reply(waymark, who, views, "We will ring on Monday.", "once", 0)
    async with waymark.database.transaction() as db:
        box = await sealing.box(db, f"submission:{views}")
        of = {"conversation": "theirs", "submission": views, "question": "more", "scan": "clean"}
        what = {"id": "drawing", "kind": "picture", "media_type": "image/jpeg"}
        await attachments.add(db, box, DRAWING, made_at=waymark.clock(), **of, **what)
    await demo.Sender(waymark, "carer", BEGUN).talk()
    (sent,) = await opened.rows(waymark, SubmissionRow, SubmissionRow.id == views)
    (theirs,) = await opened.rows(waymark, ConversationRow, ConversationRow.id == sent.conversation)
    (begun,) = await opened.rows(waymark, ConversationRow, ConversationRow.sender == "web:carer")
    return Known(sent.reference, theirs.return_code, waymark.keys.resume_code(begun.id))


async def head(waymark: Waymark) -> Person:
    async with waymark.database.reading() as db:
        row = await staff.by_email(db, demo.HEAD)
    assert row is not None
    return Person(row.id, row.name, Role(row.role))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_everything_is_lost_and_comes_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, record_property
) -> None:
    old, new, safe = tmp_path / "old", tmp_path / "new", tmp_path / "safe"
    shelf, key = Shelf(tmp_path / "backups"), safe / "backup-key.txt"
    urls = {old: None, new: None}
    if kind == "postgres":
        urls = {old: "bare_postgres_url", new: "other_postgres_url"}
        urls = {folder: request.getfixturevalue(name) for folder, name in urls.items()}

    def waymark(folder: Path, *typed: object) -> command.Done:
        """The command on the old or the new machine."""
        settings = {"data_dir": folder, "backup_dir": shelf.folder, "demo": "false"}
        database = {"database_url": urls[folder]} if urls[folder] else {}
        done = command.waymark(settings | database, *typed)
        assert done.well, done.said
        return done

    before, _ = wired(old, urls[old])
    known = await a_working_day(before)
    await before.database.close()

    # The night's backup; the keys into another safe, with the key that opens both.
    safe.mkdir()
    waymark(old, "backup", "key", key)
    waymark(old, "backup", "make", "--with-keys")
    (backup,), (keys,) = shelf.backups(), shelf.backups("keys")
    shutil.move(shelf.folder / keys.file, safe)

    shutil.rmtree(old)  # the machine burns

    waymark(new, "backup", "verify", shelf.folder / backup.file, "--key", key)
    restored = waymark(
        new, "restore", shelf.folder / backup.file, "--key", key, "--keys", safe / keys.file
    )
    assert "The log is whole" in restored.said
    assert "submission.payload: opens" in restored.said

    async with running(new, urls[new]) as site:
        now = await everything(site.waymark)
        # That it was restored, and that the log was verified after, is kept besides.
        more = {"audit": backup.counts["audit"] + 1, "audit_check": 1}
        assert {name: len(now[name]) for name in backup.counts} == {**backup.counts, **more}
        (line,) = await opened.rows(site.waymark, Audit, Audit.action == "database.restored")
        assert line.detail["kept"] == backup.counts["audit"]

        # Staff go on.
        (row,) = await opened.rows(
            site.waymark, SubmissionRow, SubmissionRow.reference == known.reference
        )
        submission = await record.open_(site.waymark, await head(site.waymark), row.id)
        assert [note.text for note in submission.notes] == ["Ring after school."]
        who = await head(site.waymark)
        file = await attached.open_(site.waymark, who, row.id, "drawing", "file.shown")
        assert file.content == DRAWING
        assert any(answer.said for section in submission.sections for answer in section.answers)

        # The child reads the reply; the carer carries on.
        page = await look_up(Visitor(site), known.reference, known.code)
        assert "We will ring on Monday." in page.text
        carer = OnForm(site)
        await carer.resume_in_browser(known.resume_code)
        assert await carer.asked() == "harm"
        await carer.choose("harm", "no")
        assert await carer.asked() not in ("danger", "harm")

    assert "The log is whole" in waymark(new, "audit", "verify").said
    took = re.search(r"It took ([\d.]+ seconds)", restored.said)
    assert took is not None
    rows = sum(backup.counts.values())
    record_property("told", f"Restore drill on {kind}: {rows} rows back in {took[1]}")
