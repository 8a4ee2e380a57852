"""Validate the foreign key from votes to users

Why: checks the rows from before the constraint. In a revision of its own, because the lock of ADD CONSTRAINT is held
until its transaction ends, while VALIDATE alone lets others read and write.
Downgrade: a validated constraint cannot be made NOT VALID, so it is replaced by one that is. Loses nothing.

Revision ID: d45c20b9e81f
Revises: 91f3a7c05be6
Create Date: 2025-09-16 10:26:44
"""
from alembic import op

revision = "d45c20b9e81f"
down_revision = "91f3a7c05be6"
branch_labels = None
depends_on = None

downgrade_destroys = None


def upgrade():
    op.execute("ALTER TABLE votes VALIDATE CONSTRAINT fk_votes_user_id_users")


def downgrade():
    # One statement, so that no row slips in between.
    op.execute(
        "ALTER TABLE votes DROP CONSTRAINT fk_votes_user_id_users, ADD CONSTRAINT fk_votes_user_id_users "
        "FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID"
    )
