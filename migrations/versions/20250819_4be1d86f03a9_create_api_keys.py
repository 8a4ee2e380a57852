"""Create api_keys

Why: programs sign in with keys. Only the SHA-256 of a key is kept.
Downgrade: drops the table; every key stops working and cannot be made again.

Revision ID: 4be1d86f03a9
Revises: a07f5e82c4d1
Create Date: 2025-08-19 09:41:10
"""
from alembic import op
import sqlalchemy as sa

revision = "4be1d86f03a9"
down_revision = "a07f5e82c4d1"
branch_labels = None
depends_on = None

downgrade_destroys = "all API keys"


def upgrade():
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_keys_user_id_users", ondelete="CASCADE"),
        sa.CheckConstraint("octet_length(digest) = 32", name="ck_api_keys_digest"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])


def downgrade():
    op.drop_table("api_keys")
