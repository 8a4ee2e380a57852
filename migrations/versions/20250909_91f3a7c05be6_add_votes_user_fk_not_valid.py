"""Add the foreign key from votes to users, not yet validated

Why: votes are now taken by the API itself, so a vote must belong to a user. NOT VALID checks new rows from here on
without reading the old ones; the next revision checks those.
Orphans found before then are to be dealt with by hand: this revision deletes nothing.
Downgrade: drops the constraint, loses nothing.

Revision ID: 91f3a7c05be6
Revises: 4be1d86f03a9
Create Date: 2025-09-09 15:18:02
"""
from alembic import op

revision = "91f3a7c05be6"
down_revision = "4be1d86f03a9"
branch_labels = None
depends_on = None

downgrade_destroys = None


def upgrade():
    op.execute(
        "ALTER TABLE votes ADD CONSTRAINT fk_votes_user_id_users "
        "FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID"
    )


def downgrade():
    op.drop_constraint("fk_votes_user_id_users", "votes", type_="foreignkey")
