"""something can be added to what was sent"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("conversation", "submission"):
        op.add_column(table, sa.Column("adds_to", sa.String(), nullable=True))
    op.create_index(op.f("ix_submission_adds_to"), "submission", ["adds_to"])


def downgrade() -> None:
    op.drop_index(op.f("ix_submission_adds_to"), "submission")
    for table in ("submission", "conversation"):
        op.drop_column(table, "adds_to")
