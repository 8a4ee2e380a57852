"""Drop users.name (rename of users.name, step 4: contract)

Why: no code reads or writes "name" any more. Deploy that code first: this revision cannot see it.
Refuses if a row's "name" differs from its display_name, since that value would be lost.
Downgrade: adds "name" again, with the trigger, and fills it from display_name in committed batches. Loses nothing;
the column comes back as the last one of the table. An interrupted downgrade is simply run again.

Revision ID: d13f60a8b75e
Revises: 09be5c7a3f81
Create Date: 2026-04-28 10:08:55
"""
import time

from alembic import context, op
from alembic.util import CommandError
import sqlalchemy as sa

revision = "d13f60a8b75e"
down_revision = "09be5c7a3f81"
branch_labels = None
depends_on = None

downgrade_destroys = None
# What the downgrade does not put back, as text.
downgrade_leaves = "users.name is the last column, not the third"

CHECK = "ck_users_name_not_null"

SYNC_FUNCTION = """
    CREATE OR REPLACE FUNCTION users_sync_display_name() RETURNS trigger LANGUAGE plpgsql AS $$
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
NEXT_BATCH = """
    WITH batch AS (
        SELECT id FROM users WHERE id > :done_to AND id <= :last ORDER BY id LIMIT :batch_size
    ), filled AS (
        UPDATE users SET name = users.display_name FROM batch
        WHERE users.id = batch.id AND users.name IS NULL
    )
    SELECT max(id) FROM batch
"""


def upgrade():
    if not context.is_offline_mode():
        different = op.get_bind().execute(sa.text("SELECT id FROM users WHERE name IS DISTINCT FROM display_name LIMIT 1")).scalar()
        if different is not None:
            raise CommandError(
                f"users.name differs from users.display_name (first at id {different}); dropping it would lose a value. "
                "Bring them together, then upgrade again. Nothing was changed."
            )
    op.execute("DROP TRIGGER users_sync_display_name ON users")
    op.execute("DROP FUNCTION users_sync_display_name()")
    op.drop_column("users", "name")


def fill_name():
    done_to, last = op.get_bind().execute(sa.text("SELECT coalesce(min(id), 0) - 1, coalesce(max(id), -1) FROM users")).one()
    statement = sa.text(NEXT_BATCH).bindparams(
        sa.bindparam("done_to", type_=sa.BigInteger),
        sa.bindparam("last", type_=sa.BigInteger),
        sa.bindparam("batch_size", type_=sa.BigInteger),
    )
    batch_size = context.config.attributes["backfill_batch_size"]
    while done_to is not None:
        done_to = op.get_bind().execute(statement, {"done_to": done_to, "last": last, "batch_size": batch_size}).scalar()
        time.sleep(context.config.attributes["backfill_pause_seconds"])


def downgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS name varchar(255)")
        op.execute(SYNC_FUNCTION)
        op.execute("DROP TRIGGER IF EXISTS users_sync_display_name ON users")
        op.execute(
            "CREATE TRIGGER users_sync_display_name BEFORE INSERT OR UPDATE ON users "
            "FOR EACH ROW EXECUTE FUNCTION users_sync_display_name()"
        )
        if context.is_offline_mode():
            op.execute("UPDATE users SET name = display_name WHERE name IS NULL")
        else:
            fill_name()
        op.execute(f"ALTER TABLE users DROP CONSTRAINT IF EXISTS {CHECK}")
        op.execute(f"ALTER TABLE users ADD CONSTRAINT {CHECK} CHECK (name IS NOT NULL) NOT VALID")
        op.execute(f"ALTER TABLE users VALIDATE CONSTRAINT {CHECK}")
    op.execute("ALTER TABLE users ALTER COLUMN name SET NOT NULL")
    op.execute(f"ALTER TABLE users DROP CONSTRAINT {CHECK}")
