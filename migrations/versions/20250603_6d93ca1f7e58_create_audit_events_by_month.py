"""Create audit_events, partitioned by month

Why: who did what and when. Old months are detached and archived, so the table is partitioned from its first day.
The default partition takes what no month covers, so that an event is never refused.
Downgrade: drops the table with everything in it.

Revision ID: 6d93ca1f7e58
Revises: e2804f5bd36a
Create Date: 2025-06-03 08:55:12
"""
from alembic import op

revision = "6d93ca1f7e58"
down_revision = "e2804f5bd36a"
branch_labels = None
depends_on = None

downgrade_destroys = "all audit events"

YEAR = 2025
MONTHS = range(6, 13)


def month_start(year, month):
    # With an offset: without one the bounds would depend on the time zone of the session.
    return f"{year + (month - 1) // 12:04d}-{(month - 1) % 12 + 1:02d}-01 00:00:00+00"


def upgrade():
    # A sequence of its own: identity columns do not work in partitions before PostgreSQL 17.
    op.execute("CREATE SEQUENCE audit_events_id_seq AS bigint")
    op.execute(
        """
        CREATE TABLE audit_events (
            id bigint NOT NULL DEFAULT nextval('audit_events_id_seq'),
            occurred_at timestamptz NOT NULL DEFAULT now(),
            actor_id bigint,
            action varchar(64) NOT NULL,
            details jsonb NOT NULL DEFAULT '{}'::jsonb,
            CONSTRAINT pk_audit_events PRIMARY KEY (id, occurred_at)
        ) PARTITION BY RANGE (occurred_at)
        """
    )
    op.execute("ALTER SEQUENCE audit_events_id_seq OWNED BY audit_events.id")
    op.create_index("ix_audit_events_actor_id_occurred_at", "audit_events", ["actor_id", "occurred_at"])
    for month in MONTHS:
        op.execute(
            f"CREATE TABLE audit_events_y{YEAR}m{month:02d} PARTITION OF audit_events "
            f"FOR VALUES FROM ('{month_start(YEAR, month)}') TO ('{month_start(YEAR, month + 1)}')"
        )
    op.execute("CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT")


def downgrade():
    op.execute("DROP TABLE audit_events")
