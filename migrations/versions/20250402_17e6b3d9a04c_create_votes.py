"""Create votes

Why: people vote on messages, once each. Votes are first taken by a service of its own that may run
ahead of sign-up, so user_id has no foreign key yet.
Downgrade: drops the table with everything in it.

Revision ID: 17e6b3d9a04c
Revises: c5a9137fe482
Create Date: 2025-04-02 16:45:20
"""
from alembic import op
import sqlalchemy as sa

revision = "17e6b3d9a04c"
down_revision = "c5a9137fe482"
branch_labels = None
depends_on = None

downgrade_destroys = "all votes"


def upgrade():
    op.create_table(
        "votes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("value", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
        sa.UniqueConstraint("message_id", "user_id", name="uq_votes_message_id_user_id"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_votes_message_id_messages", ondelete="CASCADE"),
        sa.CheckConstraint("value IN (-1, 1)", name="ck_votes_value"),
    )
    op.create_index("ix_votes_user_id", "votes", ["user_id"])


def downgrade():
    op.drop_table("votes")
