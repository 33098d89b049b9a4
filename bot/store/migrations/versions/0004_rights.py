"""teams, restricted submissions, links and grants"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not the batch way: copying a table that others point at would break what points at it.
    team = sa.Column("team", sa.String(), nullable=False, server_default="virtual-school")
    op.add_column("staff", team)
    op.add_column("submission", sa.Column("team", sa.String(), nullable=True))
    op.add_column(
        "submission",
        sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    changed = sa.Column(
        "changed_at", sa.DateTime(timezone=True), nullable=False, server_default="1970-01-01"
    )
    op.add_column("submission", changed)
    # Until now there was one team, and nobody knows when a submission last changed.
    op.execute("UPDATE submission SET changed_at = received_at")
    op.execute("UPDATE submission SET team = 'virtual-school' WHERE owner IS NOT NULL")

    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.String(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["seen_by"], ["staff.id"], name=op.f("fk_access_grant_seen_by_staff")
        ),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name=op.f("fk_access_grant_staff_staff")),
        sa.ForeignKeyConstraint(
            ["submission"], ["submission.id"], name=op.f("fk_access_grant_submission_submission")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    op.create_index("ix_access_grant_held", "access_grant", ["submission", "staff", "until"])

    op.create_table(
        "submission_link",
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_submission_link_by_staff")),
        sa.ForeignKeyConstraint(
            ["staff"], ["staff.id"], name=op.f("fk_submission_link_staff_staff")
        ),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submission.id"],
            name=op.f("fk_submission_link_submission_submission"),
        ),
        sa.PrimaryKeyConstraint("submission", "staff", name=op.f("pk_submission_link")),
    )
    op.create_index(op.f("ix_submission_link_staff"), "submission_link", ["staff"])


def downgrade() -> None:
    op.drop_table("submission_link")
    op.drop_table("access_grant")
    for column in ("changed_at", "restricted", "team"):
        op.drop_column("submission", column)
    op.drop_column("staff", "team")
