"""what somebody writes can raise an alert, and is kept with it"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ONCE = "uq_alert_conversation"


def upgrade() -> None:
    op.add_column("alert", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.add_column("alert", sa.Column("mark", sa.String(), nullable=True))
    op.execute("UPDATE alert SET mark = urgency")
    with op.batch_alter_table("alert") as alert:
        alert.alter_column("mark", existing_type=sa.String(), nullable=False)
        alert.drop_constraint(ONCE, type_="unique")
        alert.create_unique_constraint(ONCE, ["conversation", "question", "mark"])


def downgrade() -> None:
    op.execute("DELETE FROM alert WHERE words IS NOT NULL")
    with op.batch_alter_table("alert") as alert:
        alert.drop_constraint(ONCE, type_="unique")
        alert.create_unique_constraint(ONCE, ["conversation", "question"])
        alert.drop_column("mark")
        alert.drop_column("words")
