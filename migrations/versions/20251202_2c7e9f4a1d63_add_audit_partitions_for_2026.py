"""Add the partitions of audit_events for 2026

Why: from January on, events would pile up in the default partition.
Events of 2026 that are there already are moved first, else the new partition would be refused.
Writers of audit events wait while this runs: do it before the year, when the default partition holds little.
Downgrade: moves the events of 2026 back to the default partition. Loses nothing.

Revision ID: 2c7e9f4a1d63
Revises: d45c20b9e81f
Create Date: 2025-12-02 09:03:28
"""
from alembic import op

revision = "2c7e9f4a1d63"
down_revision = "d45c20b9e81f"
branch_labels = None
depends_on = None

downgrade_destroys = None

YEAR = 2026
MONTHS = range(1, 13)


def month_start(year, month):
    # With an offset: without one the bounds would depend on the time zone of the session.
    return f"{year + (month - 1) // 12:04d}-{(month - 1) % 12 + 1:02d}-01 00:00:00+00"


def upgrade():
    op.execute("LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE")
    for month in MONTHS:
        partition = f"audit_events_y{YEAR}m{month:02d}"
        start, end = month_start(YEAR, month), month_start(YEAR, month + 1)
        op.execute(f"CREATE TABLE {partition} (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        op.execute(
            f"WITH moved AS (DELETE FROM audit_events_default WHERE occurred_at >= '{start}' AND occurred_at < '{end}' RETURNING *) "
            f"INSERT INTO {partition} SELECT * FROM moved"
        )
        op.execute(f"ALTER TABLE audit_events ATTACH PARTITION {partition} FOR VALUES FROM ('{start}') TO ('{end}')")


def downgrade():
    for month in MONTHS:
        partition = f"audit_events_y{YEAR}m{month:02d}"
        op.execute(f"ALTER TABLE audit_events DETACH PARTITION {partition}")
        op.execute(f"INSERT INTO audit_events SELECT * FROM {partition}")
        op.execute(f"DROP TABLE {partition}")
