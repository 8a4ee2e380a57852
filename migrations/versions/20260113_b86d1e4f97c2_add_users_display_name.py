"""Add users.display_name (rename of users.name, step 1: expand)

Why: "name" was read as the legal name. A rename in one step would break every server of the old version.
The new column starts out nullable and empty: no rewrite. The trigger keeps both columns equal for as long as old code
writes "name" and new code writes "display_name"; if one statement changes both, display_name wins.
Next: deploy code that writes display_name, then backfill.
Downgrade: drops trigger and column. Loses nothing, since the trigger keeps the same value in "name".

Revision ID: b86d1e4f97c2
Revises: 2c7e9f4a1d63
Create Date: 2026-01-13 10:15:37
"""
from alembic import op
import sqlalchemy as sa

revision = "b86d1e4f97c2"
down_revision = "2c7e9f4a1d63"
branch_labels = None
depends_on = None

downgrade_destroys = None


def upgrade():
    op.add_column("users", sa.Column("display_name", sa.String(255), nullable=True))
    op.execute(
        """
        CREATE FUNCTION users_sync_display_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE'
               AND NEW.name IS DISTINCT FROM OLD.name
               AND NEW.display_name IS NOT DISTINCT FROM OLD.display_name
            THEN
                NEW.display_name := NEW.name;
            ELSE
                NEW.display_name := coalesce(NEW.display_name, NEW.name);
            END IF;
            NEW.name := NEW.display_name;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER users_sync_display_name BEFORE INSERT OR UPDATE ON users "
        "FOR EACH ROW EXECUTE FUNCTION users_sync_display_name()"
    )


def downgrade():
    op.execute("DROP TRIGGER users_sync_display_name ON users")
    op.execute("DROP FUNCTION users_sync_display_name()")
    op.drop_column("users", "display_name")
