"""chained audit"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from bot.audit_keys import AuditKeys
from bot.store import chain
from bot.store.chain import Entry, Link

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 1000
REMOVED = "SELECT COALESCE(MAX(last), 0) FROM audit_segment"
GUARDS = {
    ("audit", "INSERT"): "NEW.seq <= (SELECT MAX(seq) FROM audit_head)",
    ("audit", "UPDATE"): "true",
    ("audit", "DELETE"): f"OLD.seq > ({REMOVED})",
    ("audit", "TRUNCATE"): "true",
    ("audit_head", "INSERT"): "true",
    ("audit_head", "UPDATE"): "NEW.seq <= OLD.seq",
    ("audit_head", "DELETE"): "true",
    ("audit_head", "TRUNCATE"): "true",
    ("audit_segment", "INSERT"): f"NEW.last <= ({REMOVED})",
    ("audit_segment", "UPDATE"): "true",
    ("audit_segment", "DELETE"): "true",
    ("audit_segment", "TRUNCATE"): "true",
}
"""When a change is refused: a rail against a slip and a hurdle for a hand. What gets past them,
verifying finds."""


def upgrade() -> None:
    _clear_the_names()
    op.create_table("audit", *_audit(chained=True))
    _audit_indexes()
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("mac", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_segment",
        sa.Column("last", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("last_mac", sa.String(), nullable=False),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("last", name=op.f("pk_audit_segment")),
    )
    op.create_table(
        "audit_check",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_check")),
    )
    _chain()
    op.drop_table("audit_before")
    for table, event in _guarded():
        _guard(table, event)


def downgrade() -> None:
    for table, event in _guarded():
        _unguard(table, event)
    op.drop_index("ix_audit_action_at", "audit")
    _clear_the_names()
    op.create_table("audit", *_audit(chained=False))
    op.create_index(op.f("ix_audit_object_id"), "audit", ["object_id"])
    for rows in _batches(sa.table("audit_before", *_audit(chained=False)[:-1])):
        op.bulk_insert(_table("audit", chained=False), [row._asdict() for row in rows])
    if not _on_sqlite():
        op.execute(
            "SELECT setval(pg_get_serial_sequence('audit', 'seq'), "
            "(SELECT COALESCE(MAX(seq), 0) + 1 FROM audit), false)"
        )
    for name in ("audit_before", "audit_check", "audit_segment", "audit_head"):
        op.drop_table(name)


def _guarded() -> list[tuple[str, str]]:
    """SQLite has no TRUNCATE."""
    return [guard for guard in GUARDS if guard[1] != "TRUNCATE" or not _on_sqlite()]


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


# --- The table of lines -------------------------------------------------------------------


def _audit(*, chained: bool) -> list[Any]:
    columns: list[Any] = [
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=not chained,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
    ]
    if chained:
        columns += [
            sa.Column("acting_as", sa.String(), nullable=True),
            sa.Column("purpose", sa.String(), nullable=True),
            sa.Column("outcome", sa.String(), nullable=False),
            sa.Column("request_id", sa.String(), nullable=True),
            sa.Column("key", sa.String(), nullable=False),
            sa.Column("prev", sa.String(), nullable=False),
            sa.Column("mac", sa.String(), nullable=False),
        ]
    return [*columns, sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit"))]


def _table(name: str, *, chained: bool) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *_audit(chained=chained))


def _audit_indexes() -> None:
    op.create_index(op.f("ix_audit_object_id"), "audit", ["object_id"])
    op.create_index("ix_audit_action_at", "audit", ["action", "at"])


def _clear_the_names() -> None:
    """The lines there are, under another name, so that new ones can be written in their place."""
    op.drop_index(op.f("ix_audit_object_id"), "audit")
    if not _on_sqlite():
        op.execute("ALTER TABLE audit RENAME CONSTRAINT pk_audit TO pk_audit_before")
    op.rename_table("audit", "audit_before")


def _batches(table: Any) -> Iterator[list[Any]]:
    last = -(2**62)
    ordered = sa.select(table).order_by(table.c.seq).limit(BATCH)
    while rows := op.get_bind().execute(ordered.where(table.c.seq > last)).fetchall():
        yield list(rows)
        last = rows[-1].seq


# --- The chain ----------------------------------------------------------------------------


def _chain() -> None:
    """Lines kept before get numbers without a gap, and each is bound to the one before."""
    head: dict[str, Any] = {"id": 1, "key": None, "mac": None}
    end, before = Link(), _table("audit_before", chained=False)
    for rows in _batches(before):
        keys = context.config.attributes["keys"].audit
        values = []
        for row in rows:
            values.append(_line(keys, end, row))
            end = Link(values[-1]["seq"], values[-1]["mac"])
        op.bulk_insert(_table("audit", chained=True), values)
        head |= {"key": keys.newest, "mac": chain.signed_head(keys, keys.newest, end)}
    columns: list[Any] = [sa.column(name) for name in ("id", "seq", "last", "key", "mac")]
    op.bulk_insert(sa.table("audit_head", *columns), [{**head, "seq": end.seq, "last": end.mac}])


def _line(keys: AuditKeys, end: Link, row: Any) -> dict[str, Any]:
    # SQLite gives times back without their zone; all of ours are UTC.
    at: datetime = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
    said = Entry(at, row.actor, row.action, row.object_type, row.object_id, row.detail)
    place = {"seq": end.seq + 1, "key": keys.newest, "prev": end.mac}
    return {
        **vars(said),
        **place,
        "mac": chain.signed(keys, keys.newest, end.seq + 1, end.mac, said),
    }


# --- Triggers -----------------------------------------------------------------------------


def _guard(table: str, event: str) -> None:
    name, refused = f"{table}_{event.lower()}", f"{table} is only added to"
    when = GUARDS[table, event]
    if _on_sqlite():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
        )
        return
    row = "OLD" if event == "DELETE" else "NEW"
    each = "STATEMENT" if event == "TRUNCATE" else "ROW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {when} THEN RAISE EXCEPTION '{refused}'; END IF; RETURN {row}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()"
    )


def _unguard(table: str, event: str) -> None:
    name = f"{table}_{event.lower()}"
    op.execute(f"DROP TRIGGER {name}" if _on_sqlite() else f"DROP FUNCTION {name}() CASCADE")
