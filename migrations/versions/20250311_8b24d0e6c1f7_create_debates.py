"""Create debates and their participants

Why: a debate has a topic, a number of rounds, and agents who take a side or judge.
Downgrade: drops both tables with everything in them.

Revision ID: 8b24d0e6c1f7
Revises: 3f1c9a7e5b20
Create Date: 2025-03-11 14:30:05
"""
from alembic import op
import sqlalchemy as sa

revision = "8b24d0e6c1f7"
down_revision = "3f1c9a7e5b20"
branch_labels = None
depends_on = None

downgrade_destroys = "all debates and who took part in them"


def upgrade():
    op.create_table(
        "debates",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False, server_default="open"),
        sa.Column("rounds", sa.SmallInteger, nullable=False, server_default="3"),
        sa.Column("created_by", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_debates"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_debates_created_by_users", ondelete="RESTRICT"),
        sa.CheckConstraint("status IN ('open', 'running', 'closed', 'cancelled')", name="ck_debates_status"),
        sa.CheckConstraint("rounds BETWEEN 1 AND 50", name="ck_debates_rounds"),
    )
    op.create_index("ix_debates_created_by", "debates", ["created_by"])
    op.create_table(
        "debate_participants",
        sa.Column("debate_id", sa.BigInteger, nullable=False),
        sa.Column("agent_id", sa.BigInteger, nullable=False),
        sa.Column("stance", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("debate_id", "agent_id", name="pk_debate_participants"),
        sa.ForeignKeyConstraint(["debate_id"], ["debates.id"], name="fk_debate_participants_debate_id_debates", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_debate_participants_agent_id_agents", ondelete="RESTRICT"),
        sa.CheckConstraint("stance IN ('for', 'against', 'judge')", name="ck_debate_participants_stance"),
    )
    op.create_index("ix_debate_participants_agent_id", "debate_participants", ["agent_id"])


def downgrade():
    op.drop_table("debate_participants")
    op.drop_table("debates")
