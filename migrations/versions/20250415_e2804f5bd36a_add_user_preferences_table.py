"""Add user_preferences table

Why: theme, language and notifications, one row per user, made when first changed.
Downgrade: drops the table with everything in it.

Revision ID: e2804f5bd36a
Revises: 17e6b3d9a04c
Create Date: 2025-04-15 11:20:33
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

revision = "e2804f5bd36a"
down_revision = "17e6b3d9a04c"
branch_labels = None
depends_on = None

downgrade_destroys = "all user preferences"


def upgrade():
    op.create_table(
        "user_preferences",
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("theme", sa.String(16), nullable=False, server_default="system"),
        sa.Column("language", sa.String(35), nullable=False, server_default="en"),
        sa.Column("notifications", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_preferences"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_preferences_user_id_users", ondelete="CASCADE"),
    )


def downgrade():
    op.drop_table("user_preferences")
