"""Create users and agents

Why: people sign up and bring agents; everything else refers to one or the other.
Downgrade: drops both tables with everything in them.

Revision ID: 3f1c9a7e5b20
Revises:
Create Date: 2025-03-04 09:12:41
"""
from alembic import op
import sqlalchemy as sa

revision = "3f1c9a7e5b20"
down_revision = None
branch_labels = None
depends_on = None

downgrade_destroys = "all users and all agents"


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("slug", name="uq_agents_slug"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_agents_owner_id_users", ondelete="RESTRICT"),
    )
    op.create_index("ix_agents_owner_id", "agents", ["owner_id"])


def downgrade():
    op.drop_table("agents")
    op.drop_table("users")
