"""The schema at head, for `alembic revision --autogenerate`. It describes; only revisions change anything."""
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)


def identity():
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True)


def moment(name, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=None if nullable else sa.func.now())


users = sa.Table(
    "users",
    metadata,
    identity(),
    sa.Column("email", sa.String(320), nullable=False, unique=True),
    sa.Column("display_name", sa.String(255), nullable=False),
    moment("created_at"),
    moment("updated_at"),
)

agents = sa.Table(
    "agents",
    metadata,
    identity(),
    sa.Column("slug", sa.String(64), nullable=False, unique=True),
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("owner_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="RESTRICT"), nullable=False, index=True),
    moment("created_at"),
)

debates = sa.Table(
    "debates",
    metadata,
    identity(),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("rounds", sa.SmallInteger, nullable=False, server_default="3"),
    sa.Column("created_by", sa.BigInteger, sa.ForeignKey("users.id", ondelete="RESTRICT"), nullable=False, index=True),
    moment("created_at"),
    moment("closed_at", nullable=True),
    sa.Column("visibility", sa.String(16), nullable=False, server_default="public"),
    sa.CheckConstraint("status IN ('open', 'running', 'closed', 'cancelled')", name="ck_debates_status"),
    sa.CheckConstraint("rounds BETWEEN 1 AND 50", name="ck_debates_rounds"),
)

debate_participants = sa.Table(
    "debate_participants",
    metadata,
    sa.Column("debate_id", sa.BigInteger, sa.ForeignKey("debates.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("agent_id", sa.BigInteger, sa.ForeignKey("agents.id", ondelete="RESTRICT"), primary_key=True, index=True),
    sa.Column("stance", sa.String(16), nullable=False),
    sa.CheckConstraint("stance IN ('for', 'against', 'judge')", name="ck_debate_participants_stance"),
)

messages = sa.Table(
    "messages",
    metadata,
    identity(),
    sa.Column("debate_id", sa.BigInteger, sa.ForeignKey("debates.id", ondelete="CASCADE"), nullable=False),
    sa.Column("agent_id", sa.BigInteger, sa.ForeignKey("agents.id", ondelete="RESTRICT"), nullable=False),
    sa.Column("round", sa.SmallInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    sa.Index("ix_messages_debate_id_round", "debate_id", "round"),
    sa.Index("ix_messages_agent_id_created_at", "agent_id", "created_at"),
)

votes = sa.Table(
    "votes",
    metadata,
    identity(),
    sa.Column("message_id", sa.BigInteger, sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("value", sa.SmallInteger, nullable=False),
    moment("created_at"),
    sa.UniqueConstraint("message_id", "user_id"),
    sa.CheckConstraint("value IN (-1, 1)", name="ck_votes_value"),
)

user_preferences = sa.Table(
    "user_preferences",
    metadata,
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("theme", sa.String(16), nullable=False, server_default="system"),
    sa.Column("language", sa.String(35), nullable=False, server_default="en"),
    sa.Column("notifications", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    moment("updated_at"),
)

audit_events = sa.Table(
    "audit_events",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('audit_events_id_seq'::regclass)")),
    sa.Column("occurred_at", sa.DateTime(timezone=True), primary_key=True, server_default=sa.func.now()),
    sa.Column("actor_id", sa.BigInteger, nullable=True),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Index("ix_audit_events_actor_id_occurred_at", "actor_id", "occurred_at"),
    postgresql_partition_by="RANGE (occurred_at)",
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    identity(),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("label", sa.String(128), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    moment("created_at"),
    moment("revoked_at", nullable=True),
    sa.CheckConstraint("octet_length(digest) = 32", name="ck_api_keys_digest"),
)
