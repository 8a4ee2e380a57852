"""Add debates.visibility

Why: debates can be private. Every existing debate is public.
A NOT NULL column with a constant default only changes the catalogue (PostgreSQL 11 and later): no rewrite, no scan.
Downgrade: drops the column; which debates were private is lost, and they become visible.

Revision ID: a07f5e82c4d1
Revises: 6d93ca1f7e58
Create Date: 2025-07-22 13:07:49
"""
from alembic import op
import sqlalchemy as sa

revision = "a07f5e82c4d1"
down_revision = "6d93ca1f7e58"
branch_labels = None
depends_on = None

downgrade_destroys = "debates.visibility: which debates are private"


def upgrade():
    op.add_column("debates", sa.Column("visibility", sa.String(16), nullable=False, server_default="public"))


def downgrade():
    op.drop_column("debates", "visibility")
