"""Require users.display_name (rename of users.name, step 3)

Why: every row has a display_name now, and code may rely on it.
SET NOT NULL alone would read the whole table under an ACCESS EXCLUSIVE lock. With a validated CHECK in place it reads
nothing (PostgreSQL 12 and later), and validating that CHECK lets others read and write.
The first two steps commit on their own. If a row is found without a value, the CHECK stays behind NOT VALID
(it refuses new such rows); fill the row and upgrade again.
Downgrade: allows NULL again. Loses nothing.

Revision ID: 09be5c7a3f81
Revises: f7d2846b1ea5
Create Date: 2026-02-24 11:52:18
"""
from alembic import op

revision = "09be5c7a3f81"
down_revision = "f7d2846b1ea5"
branch_labels = None
depends_on = None

downgrade_destroys = None

CHECK = "ck_users_display_name_not_null"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE users DROP CONSTRAINT IF EXISTS {CHECK}")
        op.execute(f"ALTER TABLE users ADD CONSTRAINT {CHECK} CHECK (display_name IS NOT NULL) NOT VALID")
        op.execute(f"ALTER TABLE users VALIDATE CONSTRAINT {CHECK}")
    op.execute("ALTER TABLE users ALTER COLUMN display_name SET NOT NULL")
    op.execute(f"ALTER TABLE users DROP CONSTRAINT {CHECK}")


def downgrade():
    op.execute("ALTER TABLE users ALTER COLUMN display_name DROP NOT NULL")
