"""What each revision promises of the schema, and what therefore must be there at a given revision.

A new revision adds its lines here. Lines read
    + column table.column type [not null]
    + constraint table.name kind [not valid]
    + index table.name
    + trigger table.name
    + partition table.name bounds
and "-" for what the revision takes away. A later line for the same thing replaces the earlier one.
"""
import os
import re
from pathlib import Path

PROMISES = {
    "3f1c9a7e5b20": """
        + column users.id bigint not null
        + column users.email character varying(320) not null
        + column users.name character varying(255) not null
        + column users.created_at timestamp with time zone not null
        + column users.updated_at timestamp with time zone not null
        + constraint users.pk_users primary key
        + constraint users.uq_users_email unique
        + column agents.id bigint not null
        + column agents.slug character varying(64) not null
        + column agents.title character varying(255) not null
        + column agents.provider character varying(64) not null
        + column agents.model character varying(128) not null
        + column agents.owner_id bigint not null
        + column agents.created_at timestamp with time zone not null
        + constraint agents.pk_agents primary key
        + constraint agents.uq_agents_slug unique
        + constraint agents.fk_agents_owner_id_users foreign key
        + index agents.ix_agents_owner_id
    """,
    "8b24d0e6c1f7": """
        + column debates.id bigint not null
        + column debates.topic text not null
        + column debates.status character varying(16) not null
        + column debates.rounds smallint not null
        + column debates.created_by bigint not null
        + column debates.created_at timestamp with time zone not null
        + column debates.closed_at timestamp with time zone
        + constraint debates.pk_debates primary key
        + constraint debates.fk_debates_created_by_users foreign key
        + constraint debates.ck_debates_status check
        + constraint debates.ck_debates_rounds check
        + index debates.ix_debates_created_by
        + column debate_participants.debate_id bigint not null
        + column debate_participants.agent_id bigint not null
        + column debate_participants.stance character varying(16) not null
        + constraint debate_participants.pk_debate_participants primary key
        + constraint debate_participants.fk_debate_participants_debate_id_debates foreign key
        + constraint debate_participants.fk_debate_participants_agent_id_agents foreign key
        + constraint debate_participants.ck_debate_participants_stance check
        + index debate_participants.ix_debate_participants_agent_id
    """,
    "c5a9137fe482": """
        + column messages.id bigint not null
        + column messages.debate_id bigint not null
        + column messages.agent_id bigint not null
        + column messages.round smallint not null
        + column messages.body text not null
        + column messages.tokens integer not null
        + column messages.created_at timestamp with time zone not null
        + constraint messages.pk_messages primary key
        + constraint messages.fk_messages_debate_id_debates foreign key
        + constraint messages.fk_messages_agent_id_agents foreign key
        + index messages.ix_messages_debate_id_round
    """,
    "17e6b3d9a04c": """
        + column votes.id bigint not null
        + column votes.message_id bigint not null
        + column votes.user_id bigint not null
        + column votes.value smallint not null
        + column votes.created_at timestamp with time zone not null
        + constraint votes.pk_votes primary key
        + constraint votes.uq_votes_message_id_user_id unique
        + constraint votes.fk_votes_message_id_messages foreign key
        + constraint votes.ck_votes_value check
        + index votes.ix_votes_user_id
    """,
    "e2804f5bd36a": """
        + column user_preferences.user_id bigint not null
        + column user_preferences.theme character varying(16) not null
        + column user_preferences.language character varying(35) not null
        + column user_preferences.notifications jsonb not null
        + column user_preferences.updated_at timestamp with time zone not null
        + constraint user_preferences.pk_user_preferences primary key
        + constraint user_preferences.fk_user_preferences_user_id_users foreign key
    """,
    "6d93ca1f7e58": """
        + column audit_events.id bigint not null
        + column audit_events.occurred_at timestamp with time zone not null
        + column audit_events.actor_id bigint
        + column audit_events.action character varying(64) not null
        + column audit_events.details jsonb not null
        + constraint audit_events.pk_audit_events primary key
        + index audit_events.ix_audit_events_actor_id_occurred_at
        + partition audit_events.audit_events_default default
        + partition audit_events.audit_events_y2025m06 2025-06-01 to 2025-07-01
        + partition audit_events.audit_events_y2025m07 2025-07-01 to 2025-08-01
        + partition audit_events.audit_events_y2025m08 2025-08-01 to 2025-09-01
        + partition audit_events.audit_events_y2025m09 2025-09-01 to 2025-10-01
        + partition audit_events.audit_events_y2025m10 2025-10-01 to 2025-11-01
        + partition audit_events.audit_events_y2025m11 2025-11-01 to 2025-12-01
        + partition audit_events.audit_events_y2025m12 2025-12-01 to 2026-01-01
    """,
    "a07f5e82c4d1": """
        + column debates.visibility character varying(16) not null
    """,
    "4be1d86f03a9": """
        + column api_keys.id bigint not null
        + column api_keys.user_id bigint not null
        + column api_keys.label character varying(128) not null
        + column api_keys.digest bytea not null
        + column api_keys.created_at timestamp with time zone not null
        + column api_keys.revoked_at timestamp with time zone
        + constraint api_keys.pk_api_keys primary key
        + constraint api_keys.uq_api_keys_digest unique
        + constraint api_keys.fk_api_keys_user_id_users foreign key
        + constraint api_keys.ck_api_keys_digest check
        + index api_keys.ix_api_keys_user_id
    """,
    "91f3a7c05be6": """
        + constraint votes.fk_votes_user_id_users foreign key not valid
    """,
    "d45c20b9e81f": """
        + constraint votes.fk_votes_user_id_users foreign key
    """,
    "2c7e9f4a1d63": """
        + partition audit_events.audit_events_y2026m01 2026-01-01 to 2026-02-01
        + partition audit_events.audit_events_y2026m02 2026-02-01 to 2026-03-01
        + partition audit_events.audit_events_y2026m03 2026-03-01 to 2026-04-01
        + partition audit_events.audit_events_y2026m04 2026-04-01 to 2026-05-01
        + partition audit_events.audit_events_y2026m05 2026-05-01 to 2026-06-01
        + partition audit_events.audit_events_y2026m06 2026-06-01 to 2026-07-01
        + partition audit_events.audit_events_y2026m07 2026-07-01 to 2026-08-01
        + partition audit_events.audit_events_y2026m08 2026-08-01 to 2026-09-01
        + partition audit_events.audit_events_y2026m09 2026-09-01 to 2026-10-01
        + partition audit_events.audit_events_y2026m10 2026-10-01 to 2026-11-01
        + partition audit_events.audit_events_y2026m11 2026-11-01 to 2026-12-01
        + partition audit_events.audit_events_y2026m12 2026-12-01 to 2027-01-01
    """,
    "b86d1e4f97c2": """
        + column users.display_name character varying(255)
        + trigger users.users_sync_display_name
    """,
    "5a0fc93e7d14": """
        + index messages.ix_messages_agent_id_created_at
    """,
    # A backfill changes rows, not the schema.
    "f7d2846b1ea5": "",
    "09be5c7a3f81": """
        + column users.display_name character varying(255) not null
    """,
    "d13f60a8b75e": """
        - column users.name
        - trigger users.users_sync_display_name
    """,
}


class Schema:
    """What must be there, by kind: {"column": {"users.id": "bigint not null", ...}, ...}, and what must not."""

    def __init__(self, revisions):
        self.revisions = revisions
        self.present = {"column": {}, "constraint": {}, "index": {}, "trigger": {}, "partition": {}}
        for revision in revisions:
            for sign, kind, name, detail in parse(PROMISES.get(revision, "")):
                if sign == "+":
                    self.present[kind][name] = detail
                else:
                    self.present[kind].pop(name)
        every = {(kind, name) for lines in PROMISES.values() for _, kind, name, _ in parse(lines)}
        self.absent = {(kind, name) for kind, name in every if name not in self.present[kind]}

    def tables(self):
        return sorted({name.split(".")[0] for name in self.present["column"]})

    def has(self, kind, name):
        return name in self.present[kind]


def parse(lines):
    for line in lines.strip().splitlines():
        sign, kind, name, *detail = line.split(maxsplit=3)
        yield sign, kind, name, "".join(detail)


def versions_directory():
    tree = os.environ.get("ARAGORA_MIGRATIONS_DIRECTORY") or Path(__file__).resolve().parents[2] / "migrations"
    return Path(tree) / "versions"


def parents():
    """{revision: revisions below it}, read from the files: Alembic need not be importable here."""
    found = {}
    for file in sorted(versions_directory().glob("*.py")):
        source = file.read_text(encoding="utf-8")
        revision = re.search(r"^revision\b[^=\n]*=\s*['\"]([^'\"]+)['\"]", source, re.MULTILINE)
        down = re.search(r"^down_revision\b[^=\n]*=\s*(\([^)]*\)|.*)$", source, re.MULTILINE)
        if revision and down:
            found[revision.group(1)] = re.findall(r"['\"]([^'\"]+)['\"]", down.group(1))
    return found


def revisions_up_to(current):
    """All revisions that the given ones stand on, and themselves, the oldest first."""
    below = parents()
    ordered = []

    def visit(revision):
        if revision in ordered:
            return
        if revision not in below:
            raise AssertionError(
                f"The database is at revision {revision}, which is not in {versions_directory()}: "
                "run the tests of the commit that the database was migrated with, or set ARAGORA_MIGRATIONS_DIRECTORY."
            )
        for parent in below[revision]:
            visit(parent)
        ordered.append(revision)

    for revision in current:
        visit(revision)
    return ordered
