"""Index messages by agent and time

Why: the page of an agent lists its latest messages, and deleting an agent had to read all of messages.
Built CONCURRENTLY: writers do not wait. It waits for every older transaction, and lock_timeout and statement_timeout
count: if one of them ends it, an INVALID index is left behind, which the next run drops by name.
Downgrade: drops the index, concurrently too. Loses nothing.

Revision ID: 5a0fc93e7d14
Revises: b86d1e4f97c2
Create Date: 2026-02-03 14:44:09
"""
from alembic import context, op
from alembic.util import CommandError
import sqlalchemy as sa

revision = "5a0fc93e7d14"
down_revision = "b86d1e4f97c2"
branch_labels = None
depends_on = None

downgrade_destroys = None

INDEX = "ix_messages_agent_id_created_at"
DEFINITION = f"CREATE INDEX {INDEX} ON public.messages USING btree (agent_id, created_at)"


def is_built():
    """Whether a finished index of this name stands already: somebody built it by hand, or the run died just after."""
    found = op.get_bind().execute(
        sa.text(
            "SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid AS is_valid "
            "FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass(:name)"
        ),
        {"name": f"public.{INDEX}"},
    ).first()
    if found is None or not found.is_valid:
        return False
    if found.definition != DEFINITION:
        raise CommandError(f"There is another index public.{INDEX}: {found.definition}. Rename or drop it, then upgrade again.")
    return True


def upgrade():
    with op.get_context().autocommit_block():
        if not context.is_offline_mode() and is_built():
            return
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS public.{INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON public.messages USING btree (agent_id, created_at)")


def downgrade():
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS public.{INDEX}")
