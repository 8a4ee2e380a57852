"""Backfill users.display_name (rename of users.name, step 2)

Why: rows from before the expand have no display_name yet.
Goes through the key in batches, each committed together with the position it reached, in one statement: rows are locked
briefly, and a run that was interrupted goes on where it stopped. Looking for "display_name IS NULL" from the start each
time would read the finished rows again and again. It ends at the largest id at its start: the trigger sees to later rows.
The position is kept in the table backfill_f7d2846b1ea5, which is dropped at the end.
Downgrade: leaves the values. They are equal to "name", the trigger keeps them so, and the column is nullable still.

Revision ID: f7d2846b1ea5
Revises: 5a0fc93e7d14
Create Date: 2026-02-17 09:30:00
"""
import logging
import time

from alembic import context, op
import sqlalchemy as sa

revision = "f7d2846b1ea5"
down_revision = "5a0fc93e7d14"
branch_labels = None
depends_on = None

downgrade_destroys = None
# What the downgrade does not put back, as text.
downgrade_leaves = "users.display_name stays filled in"

log = logging.getLogger("alembic.aragora")

CREATE_POSITION = "CREATE TABLE IF NOT EXISTS backfill_f7d2846b1ea5 (done_to bigint NOT NULL, last bigint NOT NULL)"
START = """
    INSERT INTO backfill_f7d2846b1ea5 (done_to, last)
    SELECT coalesce(min(id), 0) - 1, coalesce(max(id), -1) FROM users
    HAVING NOT EXISTS (SELECT FROM backfill_f7d2846b1ea5)
"""
# Scalar subqueries, not joins: they become bounds of the index scan, whatever the planner believes of the small table.
NEXT_BATCH = """
    WITH progress AS (
        SELECT done_to, last FROM backfill_f7d2846b1ea5 FOR UPDATE
    ), batch AS (
        SELECT id FROM users
        WHERE id > (SELECT done_to FROM progress) AND id <= (SELECT last FROM progress)
        ORDER BY id LIMIT {batch_size}
    ), filled AS (
        UPDATE users SET display_name = users.name FROM batch
        WHERE users.id = batch.id AND users.display_name IS NULL
        RETURNING users.id
    ), moved AS (
        UPDATE backfill_f7d2846b1ea5 SET done_to = (SELECT max(id) FROM batch)
        WHERE EXISTS (SELECT FROM batch)
        RETURNING done_to
    )
    SELECT (SELECT done_to FROM moved) AS done_to, (SELECT count(*) FROM filled) AS filled
"""


def backfill():
    batch_size = context.config.attributes["backfill_batch_size"]
    pause = context.config.attributes["backfill_pause_seconds"]
    statement = sa.text(NEXT_BATCH.format(batch_size=batch_size))
    total = 0
    reported = time.monotonic()
    while True:
        batch = op.get_bind().execute(statement).one()
        if batch.done_to is None:
            break
        total += batch.filled
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            log.info("users.display_name: %s rows filled, done to id %s", total, batch.done_to)
        time.sleep(pause)
    log.info("users.display_name: %s rows filled, done", total)


def backfill_as_script():
    # A script cannot look at results, so the server loops. Nothing may surround this but autocommit.
    statement = NEXT_BATCH.format(batch_size=context.config.attributes["backfill_batch_size"])
    op.execute(
        f"""
        DO $$
        DECLARE
            reached record;
        BEGIN
            LOOP
                {statement} INTO reached;
                EXIT WHEN reached.done_to IS NULL;
                COMMIT;
            END LOOP;
        END
        $$
        """
    )


def upgrade():
    with op.get_context().autocommit_block():
        op.execute(CREATE_POSITION)
        op.execute(START)
        if context.is_offline_mode():
            backfill_as_script()
        else:
            backfill()
    op.execute("DROP TABLE backfill_f7d2846b1ea5")


def downgrade():
    # Nothing to undo: see above.
    pass
