"""words are sealed, those that are there already too"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from bot.keyring import Reader, decrypt, encrypt
from bot.keys import Keys

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEALED = b"\x01"
data_key = sa.table(
    "data_key",
    sa.column("owner", sa.String),
    sa.column("reader", sa.String),
    sa.column("kek", sa.String),
    sa.column("wrapped", sa.LargeBinary),
)
WORDS: list[tuple[str, str, str, sa.types.TypeEngine[Any], Callable[[Any], str]]] = [
    ("inbox", "raw", "key", sa.String(), lambda row: f"dead:{row.id}"),
    ("conversation", "state", "id", sa.JSON(), lambda row: f"conversation:{row.id}"),
    ("outbox", "payload", "key", sa.JSON(), lambda row: f"letter:{row.id}"),
    ("alert", "action", "id", sa.String(), lambda row: f"alert:{row.id}"),
    ("submission", "payload", "id", sa.JSON(), lambda row: f"submission:{row.id}"),
    ("note", "text", "id", sa.String(), lambda row: f"desk:{row.submission}"),
    ("reply", "text", "id", sa.String(), lambda row: f"submission:{row.submission}"),
]
"""Table, column, the column that names the row, its type before, and whose words."""
READERS: dict[str, tuple[Reader, ...]] = {
    "conversation": ("talk",),
    "letter": ("talk",),
    "submission": ("case", "sender"),
    "desk": ("case",),
    "dead": ("case",),
    "alert": ("case",),
}


def upgrade() -> None:
    op.create_table(
        "data_key",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("kek", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "reader", name=op.f("pk_data_key")),
    )
    op.create_index(op.f("ix_data_key_kek"), "data_key", ["kek"])
    op.add_column("conversation", sa.Column("return_code", sa.LargeBinary(), nullable=True))
    op.add_column(
        "submission", sa.Column("language", sa.String(), nullable=False, server_default="en")
    )
    keys: Keys = context.config.attributes["keys"]
    opened: dict[str, bytes] = {}
    for table, column, name, type_, owner in WORDS:
        _change(table, column, sa.LargeBinary())
        for row in _rows(table, column, name, type_):
            words = json.dumps(row.words, ensure_ascii=False).encode()
            key = _data_key(keys, owner(row), opened)
            _keep(table, column, name, row.id, _seal(key, table, column, row.id, owner(row), words))
        op.drop_column(table, f"{column}_was")
    sent = sa.text("SELECT id, conversation FROM submission")
    for row in op.get_bind().execute(sent).all():
        whose = f"conversation:{row.conversation}"
        if whose in opened:
            code = json.dumps(_code_before(keys, row.id)).encode()

            place = (row.conversation, whose, code)
            sealed = _seal(opened[whose], "conversation", "return_code", *place)
            _keep("conversation", "return_code", "id", row.conversation, sealed)


def downgrade() -> None:
    """Words in the clear again: for going back in an emergency, on the machine with all keys."""
    keys: Keys = context.config.attributes["keys"]
    for table, column, name, type_, owner in reversed(WORDS):
        _change(table, column, type_)
        for row in _rows(table, column, name, sa.LargeBinary()):
            bound = f"waymark words 1|{table}|{column}|{row.id}|{owner(row)}".encode()
            key = _opened_key(keys, owner(row))
            words = json.loads(decrypt(key, row.words[1:], bound, owner(row)))
            _keep(table, column, name, row.id, words, type_)
        op.drop_column(table, f"{column}_was")
    op.drop_column("submission", "language")
    op.drop_column("conversation", "return_code")
    op.drop_index(op.f("ix_data_key_kek"), "data_key")
    op.drop_table("data_key")


def _change(table: str, column: str, type_: sa.types.TypeEngine[Any]) -> None:
    # Not the batch way: copying a table that others point at would break what points at it.
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_was")
    op.add_column(table, sa.Column(column, type_, nullable=True))


def _rows(table: str, column: str, name: str, type_: sa.types.TypeEngine[Any]) -> list[Any]:
    was = sa.column(f"{column}_was", type_)
    wanted: list[Any] = [sa.column(name).label("id"), was.label("words")]
    if table in ("note", "reply"):
        wanted.append(sa.column("submission"))
    query = sa.select(*wanted).select_from(sa.table(table)).where(was.is_not(None))
    return [row for row in op.get_bind().execute(query).all() if row.words is not None]


def _keep(
    table: str, column: str, name: str, row: str, value: Any, type_: Any = sa.LargeBinary
) -> None:
    there = sa.table(table, sa.column(name), sa.column(column, type_))
    op.execute(sa.update(there).where(there.c[name] == row).values({column: value}))


def _seal(key: bytes, table: str, column: str, row: str, owner: str, words: bytes) -> bytes:
    return SEALED + encrypt(key, words, f"waymark words 1|{table}|{column}|{row}|{owner}".encode())


def _data_key(keys: Keys, owner: str, opened: dict[str, bytes]) -> bytes:
    if owner not in opened:
        kind, _, id_ = owner.partition(":")
        key = opened[owner] = secrets.token_bytes(32)
        for reader in READERS[kind]:
            code = _code_before(keys, id_).replace("-", "") if reader == "sender" else ""
            kek, wrapped = keys.ring.wrap(reader, key, owner, code)
            row = {"owner": owner, "reader": reader, "kek": kek, "wrapped": wrapped}
            op.execute(sa.insert(data_key).values(row))
    return opened[owner]


def _opened_key(keys: Keys, owner: str) -> bytes:
    query = sa.select(data_key).where(data_key.c.owner == owner, data_key.c.reader != "sender")
    row = op.get_bind().execute(query).one()
    return keys.ring.unwrap(row.reader, row.kek, row.wrapped, owner)


def _code_before(keys: Keys, submission: str) -> str:
    """Return codes used to follow from the secret; people may have them on paper."""
    digest = hmac.digest(keys.secret, f"return-code:{submission}".encode(), hashlib.sha256)
    plain = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    letters = base64.b32encode(digest)[:12].decode().translate(plain)
    return "-".join((letters[:4], letters[4:8], letters[8:]))
