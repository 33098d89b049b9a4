"""staff decide what may be told as fact"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fact_decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("publisher", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("review_by", sa.Date(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_fact_decision_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_decision")),
    )
    op.create_index(op.f("ix_fact_decision_kind"), "fact_decision", ["kind", "row", "at"])


def downgrade() -> None:
    op.drop_table("fact_decision")
