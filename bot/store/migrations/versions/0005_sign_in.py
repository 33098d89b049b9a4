"""sign-in: council accounts, second factor, sessions that say what they are"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added one by one: SQLite would make the whole table anew for anything more, and
    # other tables refer to it.
    op.add_column("staff", sa.Column("subject", sa.String(), nullable=True))
    op.create_index(op.f("ix_staff_subject"), "staff", ["subject"], unique=True)
    op.add_column(
        "staff", sa.Column("emergency", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("staff", sa.Column("totp", sa.LargeBinary(), nullable=True))
    op.add_column("staff", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("staff", sa.Column("off_because", sa.String(), nullable=True))
    op.add_column("staff", sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("idle_from", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE staff SET off_because = 'headteacher' WHERE NOT active")
    op.create_table(
        "recovery_code",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name=op.f("fk_recovery_code_staff_staff")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_staff"), "recovery_code", ["staff"], unique=False)
    _sessions_anew(
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("offered", sa.LargeBinary(), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
    )


def _sessions_anew(*more: sa.Column[Any]) -> None:
    """Everyone signs in once more."""
    op.drop_index(op.f("ix_staff_session_staff"), "staff_session")
    op.drop_table("staff_session")
    op.create_table(
        "staff_session",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name=op.f("fk_staff_session_staff_staff")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_staff"), "staff_session", ["staff"], unique=False)


def downgrade() -> None:
    _sessions_anew()
    op.drop_index(op.f("ix_recovery_code_staff"), "recovery_code")
    op.drop_table("recovery_code")
    op.drop_index(op.f("ix_staff_subject"), "staff")
    for column in (
        "idle_from",
        "signed_in_at",
        "off_because",
        "totp_step",
        "totp",
        "emergency",
        "subject",
    ):
        op.drop_column("staff", column)
