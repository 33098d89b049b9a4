"""A Waymark with something of everything in it, to be backed up and put back."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import deadletters, watch
from bot.backup import envelope, keypair, making
from bot.backup.body import Manifest
from bot.backup.keypair import Private
from bot.backup.shelf import Backup, Shelf
from bot.store import conversations, outbox, samples, sealing
from bot.store.conversations import Known
from bot.store.copying import LEFT_OUT
from bot.store.models import Alert, Base, Moment
from bot.wiring import Waymark
from content.schema import Role
from tests import opened
from tests.alarms import done
from tests.drivers.waymark import Clock, wired
from tests.postgres import fresh
from web import demo
from web.casework import accounts, alerts, review
from web.casework.permissions import Person

CANARY = "Zanzibar-canary"
DISCLOSING = {"danger": "not-now", "harm": "someone-else", "harm-told": ["nobody"]}
PLAIN = {"danger": "not-now", "harm": "no"}
WORDS = {"role": "foster-carer", "story": f"{CANARY} story", "name": f"{CANARY} name"}
"""What people typed. Nobody may find it in a backup."""


@dataclass
class House:
    """A Waymark, where its backups lie, and the key that opens them."""

    waymark: Waymark
    clock: Clock
    shelf: Shelf
    private: Private

    @property
    def data_dir(self) -> Path:
        return self.waymark.settings.data_dir

    async def back_up(self) -> Path:
        made = await making.make(self.waymark, self.shelf, self.private.public)
        return self.shelf.folder / made.file

    def keep_keys(self) -> Path:
        public, at = self.private.public, self.clock()
        made: Backup = making.keep_keys(self.waymark.settings, self.shelf, public, at)
        return self.shelf.folder / made.file

    def said(self, file: Path) -> tuple[Manifest, dict[str, list[list[Any]]]]:
        """What a backup holds, by table, as whoever has the key can read it."""
        lines = envelope.lines(file, envelope.key(file, self.private))
        manifest = Manifest.read(next(lines))
        rows: dict[str, list[list[Any]]] = {}
        for line in map(json.loads, lines):
            if isinstance(line, str):
                now = rows.setdefault(line, [])
            else:
                now.append(line)
        return manifest, rows


def unwrapped(rows: dict[str, list[list[Any]]], manifest: Manifest) -> bytes:
    """Everything in it, the bytes too as they are."""
    whole = [json.dumps(rows).encode()]
    for shape in manifest.tables:
        for at, (_, kind) in enumerate(shape.columns):
            if kind == "bytes":
                whole += [base64.b64decode(row[at]) for row in rows[shape.name] if row[at]]
    return b"\n".join(whole)


async def live_in(waymark: Waymark) -> None:
    """Something in every table and every sealed column."""
    ann = await person(waymark)
    concern = demo.Story("raise-a-concern", 3, {**DISCLOSING, **WORDS})
    one = await demo.Sender(waymark, "one", concern).talk()
    await demo.Sender(waymark, "two", demo.Story("raise-a-concern", 2, {**PLAIN, **WORDS})).talk()
    begun = demo.Story("raise-a-concern", 1, {**PLAIN, **WORDS}, until="status")
    await demo.Sender(waymark, "begun", begun).talk()
    assert one is not None
    await review.write_note(waymark, ann, one, f"{CANARY} note", "once")
    await review.reply(waymark, ann, one, f"{CANARY} reply", "once", 0)
    (alert,) = await opened.rows(waymark, Alert)
    await alerts.settle(waymark, ann, alert.id, done(f"{CANARY} action"))
    async with waymark.database.transaction() as db:
        await conversations.keep_sender(db, Known("telegram:77", over_16=True), waymark.clock())
        said = {"text": f"{CANARY} letter"}
        await outbox.post(db, "telegram:1:0", "telegram:77", said, waymark.clock())
        await accounts.new_way_in(waymark, db, ann.id)
    with pytest.raises(accounts.WrongSignIn):
        await accounts.sign_in(waymark, "ann@example.org", "not the password", None)
    await deadletters.bury(waymark, "telegram:9", "telegram:77", f"{CANARY} raw", KeyError("x"))
    await watch.verify(waymark)
    async with waymark.database.transaction() as db:
        for table in Base.metadata.sorted_tables:
            if table.name not in FILLED_BY_TIME:
                await fill(db, table, waymark.clock())
        for column in samples.OWNERS:
            await fill_sealed(db, column)


FILLED_BY_TIME = {"audit_segment", *LEFT_OUT}


async def fill(db: AsyncConnection, table: sa.Table, now: datetime) -> None:
    """Made-up values, where nothing above put any: so that a table added later is seen too."""
    if await db.scalar(sa.select(sa.func.count()).select_from(table)):
        return
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys:
            (key,) = column.foreign_keys
            values[column.name] = await db.scalar(sa.select(key.column).limit(1))
        elif not column.nullable:
            values[column.name] = made_up(column.type, now)
    await db.execute(sa.insert(table).values(values))


def made_up(type_: Any, now: datetime) -> Any:
    if isinstance(type_, sa.JSON):
        return {"made": "up"}
    kind = type_.python_type if not isinstance(type_, Moment) else datetime
    return {str: "made-up", int: 7, bool: True, datetime: now, bytes: b"\x00\xff"}[kind]


async def fill_sealed(db: AsyncConnection, column: sealing.Column) -> None:
    name, owner = samples.OWNERS[column]
    table = column.class_.__table__
    if await db.scalar(sa.select(sa.func.count()).select_from(table).where(column.is_not(None))):
        return
    row = (await db.execute(sa.select(*table.columns).limit(1))).one()
    called = getattr(row, name.key)
    words = await sealing.seal(db, owner(row), column, called, f"{CANARY} {column.key}")
    await db.execute(sa.update(table).where(name == called).values({column.key: words}))


async def person(waymark: Waymark, name: str = "Ann") -> Person:
    async with waymark.database.transaction() as db:
        role = Role.HEADTEACHER
        id_ = await accounts.make(waymark, db, name, f"{name}@example.org", role)
    return Person(id_, name, role)


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Private:
    return keypair.read(keypair.new(tmp_path_factory.mktemp("halves"))[1])


@pytest.fixture(scope="session")
async def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a house on SQLite, to be copied: filling one is slow."""
    folder = tmp_path_factory.mktemp("lived-in")
    waymark, _ = wired(folder)
    await waymark.database.migrate()
    await live_in(waymark)
    await waymark.database.close()
    return folder


@pytest.fixture
async def house(lived_in: Path, tmp_path: Path, private: Private) -> AsyncIterator[House]:
    """On SQLite, where which database it is makes no difference."""
    folder = tmp_path / "data"
    shutil.copytree(lived_in, folder)
    waymark, clock = wired(folder)
    yield House(waymark, clock, Shelf(tmp_path / "backups"), private)
    await waymark.database.close()


@pytest.fixture(scope="session")
async def lived_in_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: Path
) -> AsyncIterator[tuple[Path, str]]:
    """The same there: its folder with the keys, and the name of a database to be copied."""
    folder = tmp_path_factory.mktemp("lived-in-postgres")
    with fresh(postgres, "") as url:
        waymark, _ = wired(folder, url)
        await waymark.database.migrate()
        await live_in(waymark)
        await waymark.database.close()
        yield folder, str(sa.make_url(url).database)


@pytest.fixture
async def postgres_house(
    lived_in_postgres: tuple[Path, str], postgres: Path, tmp_path: Path, private: Private
) -> AsyncIterator[House]:
    folder, template = lived_in_postgres
    shutil.copytree(folder, tmp_path / "data")
    with fresh(postgres, f" TEMPLATE {template}") as url:
        waymark, clock = wired(tmp_path / "data", url)
        yield House(waymark, clock, Shelf(tmp_path / "backups"), private)
        await waymark.database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest) -> House:
    found: House = request.getfixturevalue(
        "postgres_house" if request.param == "postgres" else "house"
    )
    return found
