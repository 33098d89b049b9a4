"""what is kept goes in time, and people can ask for it"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in ("closed_at", "kept_until", "warned_at"):
        op.add_column("submission", sa.Column(column, WHEN, nullable=True))
    op.create_index(op.f("ix_submission_closed_at"), "submission", ["closed_at"])
    # What was closed before this was written down there was at least written down in the audit.
    op.execute(
        "UPDATE submission SET closed_at = COALESCE((SELECT MAX(at) FROM audit"
        " WHERE object_id = submission.id AND action = 'submission.closed'), received_at)"
        " WHERE status IN ('signposted', 'closed-done', 'closed-not-us')"
    )
    op.add_column("staff", sa.Column("off_at", WHEN, nullable=True))
    op.execute(sa.text("UPDATE staff SET off_at = CURRENT_TIMESTAMP WHERE NOT active"))
    op.drop_index(op.f("ix_conversation_expires_at"), "conversation")
    op.drop_column("conversation", "expires_at")
    op.create_index(op.f("ix_conversation_changed_at"), "conversation", ["changed_at"])
    _hold()
    _receipt()
    _person_request()
    op.create_table(
        "duty",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("taken_until", WHEN, nullable=False),
        sa.Column("done_at", WHEN, nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )


def downgrade() -> None:
    for table in ("duty", "person_request", "receipt", "hold"):
        op.drop_table(table)
    op.drop_index(op.f("ix_conversation_changed_at"), "conversation")
    op.add_column("conversation", sa.Column("expires_at", WHEN, nullable=True))
    op.execute("UPDATE conversation SET expires_at = changed_at")
    with op.batch_alter_table("conversation") as batch_op:
        batch_op.alter_column("expires_at", existing_type=WHEN, nullable=False)
    op.create_index(op.f("ix_conversation_expires_at"), "conversation", ["expires_at"])
    op.drop_column("staff", "off_at")
    op.drop_index(op.f("ix_submission_closed_at"), "submission")
    for column in ("warned_at", "kept_until", "closed_at"):
        op.drop_column("submission", column)


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", WHEN, nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_at", WHEN, nullable=True),
        sa.Column("lifted_because", sa.LargeBinary(), nullable=True),
        _to("hold", "submission", "submission"),
        _to("hold", "placed_by", "staff"),
        _to("hold", "lifted_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_submission"), "hold", ["submission"])


def _receipt() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("objects", sa.JSON(), nullable=False),
        sa.Column("return_key", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("second", sa.String(), nullable=True),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.Column("stayed", sa.JSON(), nullable=False),
        sa.Column("backups_forget_by", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    for column in ("return_key", "at"):
        op.create_index(op.f(f"ix_receipt_{column}"), "receipt", [column])


def _person_request() -> None:
    op.create_table(
        "person_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("submission", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=True),
        sa.Column("proposed_at", WHEN, nullable=True),
        sa.Column("proposal", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", WHEN, nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        _to("person_request", "submission", "submission"),
        _to("person_request", "entered_by", "staff"),
        _to("person_request", "proposed_by", "staff"),
        _to("person_request", "decided_by", "staff"),
        _to("person_request", "receipt", "receipt"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_request")),
    )
    for column in ("submission", "state"):
        op.create_index(op.f(f"ix_person_request_{column}"), "person_request", [column])


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)
