"""`waymark backup` and `waymark restore` as they are typed, and what they say when they can't."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backup.shelf import Shelf
from tests.backups import House
from tests.drivers.command import Done, waymark
from tests.test_backup import disk_with_room_for


@pytest.fixture
def at(house: House, tmp_path: Path):
    """Somebody at that machine."""

    def type_(*typed: object, data_dir: Path = house.data_dir) -> Done:
        return waymark({"data_dir": data_dir, "backup_dir": house.shelf.folder}, *typed)

    return type_


@pytest.fixture
def key(at, tmp_path) -> Path:
    file = tmp_path / "backup-key.txt"
    assert at("backup", "key", file).well
    return file


def test_no_backup_is_made_that_nobody_could_open(at, house) -> None:
    done = at("backup", "make")
    assert not done.well
    assert "Make one with: waymark backup key" in done.said
    assert not house.shelf.folder.exists()


def test_the_private_half_is_written_once_and_never_beside_what_it_opens(
    at, house, tmp_path
) -> None:
    for folder in (house.data_dir, house.shelf.folder, house.data_dir / "keys"):
        done = at("backup", "key", folder / "key.txt")
        assert not done.well
        assert "could open the backups" in done.said
    file = tmp_path / "key.txt"
    assert at("backup", "key", file).well
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(list((house.data_dir / "keys/backup").iterdir())) == 1
    done = at("backup", "key", file)
    assert not done.well
    assert "File exists" in done.said
    assert len(list((house.data_dir / "keys/backup").iterdir())) == 1
    assert "waymark-backup-key 0002-" in at("backup", "key", "-").said


def test_made_listed_verified_and_forgotten(at, house, key) -> None:
    assert "no backup of the last 26 hours" in at("backup", "list").said
    made = at("backup", "make")
    assert made.well
    assert "read back whole" in made.said
    assert "use --with-keys" in made.said
    assert "Keep it elsewhere" in at("backup", "make", "--with-keys").said
    listed = at("backup", "list").said
    assert len(listed.splitlines()) == 3
    assert "26 hours" not in listed
    assert "changed" not in listed
    shelf = Shelf(house.shelf.folder)
    file = shelf.folder / shelf.backups()[0].file
    assert "is as it was written" in at("backup", "verify", file).said
    opened = at("backup", "verify", file, "--key", key).said
    assert "2  submission" in opened
    assert "is whole" in opened
    assert "0 older than 35 days" in at("backup", "prune").said


def test_a_damaged_one_is_told_with_and_without_the_key(at, house, key) -> None:
    at("backup", "make")
    (made,) = house.shelf.all()
    file = house.shelf.folder / made.file
    file.write_bytes(file.read_bytes()[:-1])
    for more in ([], ["--key", key]):
        done = at("backup", "verify", file, *more)
        assert not done.well
        assert "not as the index" in done.said or "damaged" in done.said
    assert not at("backup", "verify", file.with_name("nothing")).well


async def test_a_full_disk_is_a_sentence(at, house, key) -> None:
    async with house.waymark.database.reading() as db:
        await db.execute(sa.select(1))  # SQLite has what it needs of the disk
        with disk_with_room_for(20_000):
            done = at("backup", "make")
    assert not done.well
    assert "too large" in done.said
    assert house.shelf.all() == []


def test_restoring_asks_before_it_replaces_and_names_missing_keys(at, house, key, tmp_path) -> None:
    at("backup", "make", "--with-keys")
    tables, keys = (house.shelf.folder / one.file for one in house.shelf.all())
    done = at("restore", tables, "--key", key)
    assert not done.well
    assert "not empty" in done.said

    new = tmp_path / "new"
    done = at("restore", tables, "--key", key, data_dir=new)
    assert not done.well
    assert "Nothing was restored" in done.said
    assert "keys/talk/0001-" in done.said
    assert not new.exists()

    done = at("restore", tables, "--key", key, "--keys", keys, data_dir=new)
    assert done.well, done.said
    assert "6 key files put back" in done.said
    assert "2  submission" in done.said
    assert "submission.payload: opens" in done.said
    assert "The log is whole" in done.said
    assert "seconds" in done.said

    done = at("restore", tables, "--key", key, "--replace", data_dir=new)
    assert done.well, done.said
    assert "What was there before is in waymark-" in done.said


def test_without_the_keys_what_is_plain_comes_back_and_the_rest_is_told(
    at, house, key, tmp_path
) -> None:
    at("backup", "make")
    (made,) = house.shelf.all()
    file = house.shelf.folder / made.file
    done = at("restore", file, "--key", key, "--without-keys", data_dir=tmp_path / "new")
    assert not done.well
    assert "submission.payload: CAN NOT BE OPENED" in done.said
    assert "2  submission" in done.said


def test_a_wrong_or_missing_key_file_is_a_sentence(at, house, key, tmp_path) -> None:
    at("backup", "make")
    (made,) = house.shelf.all()
    file = house.shelf.folder / made.file
    other = tmp_path / "other.txt"
    assert waymark({"data_dir": tmp_path / "elsewhere"}, "backup", "key", other).well
    shutil.rmtree(tmp_path / "elsewhere")
    for given, said in ((other, "opens this file"), (tmp_path / "none", "No such file")):
        done = at("restore", file, "--key", given, "--replace")
        assert not done.well
        assert said in done.said
