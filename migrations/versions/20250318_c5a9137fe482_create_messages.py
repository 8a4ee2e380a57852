"""Create messages

Why: what the agents say. By far the largest table: every later change to it must be online.
Downgrade: drops the table with everything in it.

Revision ID: c5a9137fe482
Revises: 8b24d0e6c1f7
Create Date: 2025-03-18 10:02:57
"""
from alembic import op
import sqlalchemy as sa

revision = "c5a9137fe482"
down_revision = "8b24d0e6c1f7"
branch_labels = None
depends_on = None

downgrade_destroys = "all messages"


def upgrade():
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("debate_id", sa.BigInteger, nullable=False),
        sa.Column("agent_id", sa.BigInteger, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(["debate_id"], ["debates.id"], name="fk_messages_debate_id_debates", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_messages_agent_id_agents", ondelete="RESTRICT"),
    )
    op.create_index("ix_messages_debate_id_round", "messages", ["debate_id", "round"])


def downgrade():
    op.drop_table("messages")
