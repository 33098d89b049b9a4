"""teams, restricted submissions, links and grants"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("staff", schema=None) as batch_op:
        first = sa.Column("team", sa.String(), nullable=False, server_default="virtual-school")
        batch_op.add_column(first)
        batch_op.alter_column("team", server_default=None)

    now = sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True)
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.add_column(sa.Column("team", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.alter_column("restricted", server_default=None)
        batch_op.add_column(now)
    # Until now there was one team, and nobody knows when a submission last changed.
    op.execute("UPDATE submission SET changed_at = received_at")
    op.execute("UPDATE submission SET team = 'virtual-school' WHERE owner IS NOT NULL")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.alter_column("changed_at", nullable=False)

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
    with op.batch_alter_table("access_grant", schema=None) as batch_op:
        batch_op.create_index(
            "ix_access_grant_held", ["submission", "staff", "until"], unique=False
        )

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
    with op.batch_alter_table("submission_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_link_staff"), ["staff"], unique=False)


def downgrade() -> None:
    op.drop_table("submission_link")
    op.drop_table("access_grant")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_column("changed_at")
        batch_op.drop_column("restricted")
        batch_op.drop_column("team")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("team")
