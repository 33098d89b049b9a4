"""staff are called to alerts, say that they look, and whom they told"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        for who in ("taken", "proposed"):
            alert.add_column(sa.Column(f"{who}_by", sa.String(), nullable=True))
            alert.add_column(sa.Column(f"{who}_at", WHEN, nullable=True))
            alert.create_foreign_key(
                op.f(f"fk_alert_{who}_by_staff"), "staff", [f"{who}_by"], ["id"]
            )
        alert.add_column(sa.Column("told", sa.JSON(), nullable=True))
        alert.add_column(sa.Column("told_at", WHEN, nullable=True))
    # Whoever settled one has looked at it: nobody is called to it any more.
    op.execute("UPDATE alert SET taken_by = seen_by, taken_at = seen_at WHERE seen_at IS NOT NULL")
    op.create_table(
        "call",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("rota", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("tried_at", WHEN, nullable=True),
        sa.Column("done_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("alert", "rota", "round", "place", "whom", name=op.f("uq_call_alert")),
    )
    op.create_index("ix_call_due", "call", ["state", "due_at"])
    op.create_index(op.f("ix_call_alert"), "call", ["alert"])
    op.create_index(op.f("ix_call_made_at"), "call", ["made_at"])


def downgrade() -> None:
    op.drop_table("call")
    with op.batch_alter_table("alert") as alert:
        for who in ("taken", "proposed"):
            alert.drop_constraint(op.f(f"fk_alert_{who}_by_staff"), type_="foreignkey")
            alert.drop_column(f"{who}_by")
            alert.drop_column(f"{who}_at")
        alert.drop_column("told")
        alert.drop_column("told_at")
