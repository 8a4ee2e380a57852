"""Smoke tests: does the database keep what its revision promises?

They look up the revision the database is at, so they hold at head, before a migration and after a rollback.
Those marked production_safe only read. The others write, in a transaction that is rolled back
(ids drawn from sequences stay used up).
"""
import os

import pytest

SYSTEM_SCHEMAS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"

FOREIGN_KEYS = [
    ("agents", "owner_id", "fk_agents_owner_id_users"),
    ("debates", "created_by", "fk_debates_created_by_users"),
    ("debate_participants", "debate_id", "fk_debate_participants_debate_id_debates"),
    ("debate_participants", "agent_id", "fk_debate_participants_agent_id_agents"),
    ("messages", "debate_id", "fk_messages_debate_id_debates"),
    ("messages", "agent_id", "fk_messages_agent_id_agents"),
    ("votes", "message_id", "fk_votes_message_id_messages"),
    ("votes", "user_id", "fk_votes_user_id_users"),
    ("user_preferences", "user_id", "fk_user_preferences_user_id_users"),
    ("api_keys", "user_id", "fk_api_keys_user_id_users"),
]


# What is read


@pytest.mark.production_safe
def test_the_session_is_limited_and_named(db):
    assert db.value("SHOW application_name") == "aragora-smoke"
    timeout = db.value("SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'")
    assert timeout > 0, "the session has no statement_timeout: a pooler dropped it"
    if os.environ.get("ARAGORA_READ_ONLY") in ("1", "true", "yes", "on"):
        assert db.value("SHOW transaction_read_only") == "on", "ARAGORA_READ_ONLY is set, but the session can write"


@pytest.mark.production_safe
def test_the_server_is_a_primary_in_utf8(db):
    assert db.value("SELECT pg_is_in_recovery()") is False, "this is a standby: what is tested here may lag behind"
    assert db.value("SHOW server_encoding") == "UTF8"


@pytest.mark.production_safe
def test_the_database_is_at_the_expected_revision(current):
    expected = os.environ.get("ARAGORA_EXPECTED_REVISION")
    if not expected:
        pytest.skip("ARAGORA_EXPECTED_REVISION is not set")
    wanted = [] if expected == "base" else [expected]
    assert current == wanted, f"the database is at {', '.join(current) or 'base'}, not at {expected}"


@pytest.mark.production_safe
def test_the_database_is_at_one_revision(current):
    assert len(current) <= 1, f"alembic_version holds several revisions: {', '.join(current)}"


@pytest.mark.production_safe
def test_every_table_can_be_read(db, schema):
    for table in schema.tables():
        db.execute(f'SELECT * FROM public."{table}" LIMIT 1')


@pytest.mark.production_safe
def test_columns_are_as_promised(db, schema):
    actual = columns(db)
    report(schema.present["column"], actual)


@pytest.mark.production_safe
def test_constraints_are_as_promised(db, schema):
    """A constraint that a revision validated must be valid."""
    report(schema.present["constraint"], constraints(db))


@pytest.mark.production_safe
def test_indexes_are_there_and_usable(db, schema):
    actual = {
        name: "usable" if usable else "INVALID"
        for name, usable in db.execute(
            """
            SELECT t.relname || '.' || c.relname, i.indisvalid AND i.indisready AND i.indislive
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
            WHERE c.relnamespace = 'public'::regnamespace
            """
        )
    }
    report({name: "usable" for name in schema.present["index"]}, actual)


@pytest.mark.production_safe
def test_no_index_is_invalid(db):
    invalid = db.execute(
        f"""
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT (i.indisvalid AND i.indisready) AND {SYSTEM_SCHEMAS}
        """
    )
    names = ", ".join(row[0] for row in invalid)
    assert not invalid, f"INVALID indexes cost writes and help no query: {names}. Drop them with DROP INDEX CONCURRENTLY."


@pytest.mark.production_safe
def test_triggers_are_there_and_enabled(db, schema):
    actual = {
        name: "enabled" if enabled != "D" else "disabled"
        for name, enabled in db.execute(
            "SELECT t.relname || '.' || g.tgname, g.tgenabled::text FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid "
            "WHERE NOT g.tgisinternal AND t.relnamespace = 'public'::regnamespace"
        )
    }
    report({name: "enabled" for name in schema.present["trigger"]}, actual)


@pytest.mark.production_safe
def test_nothing_of_other_revisions_is_left(db, schema):
    """After a contract or a rollback. Indexes are left out: one may be built by hand before its revision."""
    there = {("column", name) for name in columns(db)}
    there |= {("constraint", name) for name in constraints(db)}
    there |= {
        ("trigger", name)
        for (name,) in db.execute("SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE NOT tgisinternal")
    }
    there |= {("partition", f"{parent}.{name}") for parent, name, _ in partitions(db)}
    left = sorted(f"{kind} {name}" for kind, name in there & schema.absent)
    assert not left, f"at this revision there should be no {', no '.join(left)}"


@pytest.mark.production_safe
def test_no_backfill_was_left_unfinished(db):
    left = [row[0] for row in db.execute("SELECT relname FROM pg_class WHERE relname LIKE 'backfill\\_%' AND relkind = 'r'")]
    assert not left, f"a backfill stopped halfway and left {', '.join(left)}: run the upgrade again, it goes on where it stopped"


@pytest.mark.production_safe
def test_display_names_are_complete_once_backfilled(db, schema):
    if "f7d2846b1ea5" not in schema.revisions:
        pytest.skip("users.display_name is not backfilled at this revision")
    if schema.present["column"]["users.display_name"].endswith("not null"):
        pytest.skip("the column is NOT NULL (another test sees to that): no need to read the whole table")
    missing = db.value("SELECT id FROM users WHERE display_name IS NULL LIMIT 1")
    assert missing is None, f"user {missing} has no display_name"


@pytest.mark.production_safe
def test_sequences_are_ahead_of_their_columns(db, schema):
    if not schema.tables():
        pytest.skip("there are no tables at base")
    owned = db.execute(
        """
        SELECT format('%I.%I', sn.nspname, s.relname), format('%I.%I', tn.nspname, t.relname), quote_ident(a.attname)
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
          AND tn.nspname = 'public'
        ORDER BY 1
        """
    )
    assert owned, "no table has a sequence"
    for sequence, table, column in owned:
        largest = db.value(f"SELECT max({column}) FROM {table}")
        following = db.value(f"SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM {sequence}")
        assert largest is None or following > largest, (
            f"{sequence} gives {following} next, but {table}.{column} goes up to {largest}: inserts will fail as duplicates"
        )


@pytest.mark.production_safe
def test_partitions_are_attached_with_their_bounds(db, schema):
    promised = schema.present["partition"]
    if not promised:
        pytest.skip("audit_events does not exist at this revision")
    # Bounds are printed in the session's time zone.
    db.execute("SET LOCAL TimeZone = 'UTC'")
    actual = {}
    for parent, name, bounds in partitions(db):
        if bounds != "DEFAULT":
            words = bounds.split("'")
            bounds = f"{words[1][:10]} to {words[3][:10]}"
        actual[f"{parent}.{name}"] = bounds.lower()
    report(promised, actual)


# What is written, and rolled back


@pytest.fixture
def rows(db, schema):
    """One new row in each table the revision has, as {table: condition that finds it}."""
    if not schema.tables():
        pytest.skip("there are no tables at base")
    name = "display_name" if schema.has("column", "users.display_name") else "name"
    user = db.value(f"INSERT INTO users (email, {name}) VALUES ('smoke-\N{OWL}@test.invalid', 'Zoë \N{OWL}') RETURNING id")
    agent = db.value(
        "INSERT INTO agents (slug, title, provider, model, owner_id) VALUES ('smoke-test-agent', 'Smoke', 'none', 'none', %s) RETURNING id",
        user,
    )
    made = {"users": f"id = {user}", "agents": f"id = {agent}"}
    tables = schema.tables()
    if "debates" in tables:
        debate = db.value("INSERT INTO debates (topic, created_by) VALUES ('Does it smoke?', %s) RETURNING id", user)
        db.execute("INSERT INTO debate_participants VALUES (%s, %s, 'for')", debate, agent)
        made["debates"] = f"id = {debate}"
        made["debate_participants"] = f"debate_id = {debate}"
    if "messages" in tables:
        message = db.value(
            "INSERT INTO messages (debate_id, agent_id, round, body) VALUES (%s, %s, 1, 'No \N{FIRE}') RETURNING id", debate, agent
        )
        made["messages"] = f"id = {message}"
    if "votes" in tables:
        vote = db.value("INSERT INTO votes (message_id, user_id, value) VALUES (%s, %s, 1) RETURNING id", message, user)
        made["votes"] = f"id = {vote}"
    if "user_preferences" in tables:
        db.execute("INSERT INTO user_preferences (user_id) VALUES (%s)", user)
        made["user_preferences"] = f"user_id = {user}"
    if "api_keys" in tables:
        key = db.value("INSERT INTO api_keys (user_id, label, digest) VALUES (%s, 'smoke', sha256('smoke test key')) RETURNING id", user)
        made["api_keys"] = f"id = {key}"
    return made


def test_what_is_written_is_read_back(db, rows, schema):
    name = "display_name" if schema.has("column", "users.display_name") else "name"
    assert db.execute(f"SELECT email, {name} FROM users WHERE {rows['users']}") == [("smoke-\N{OWL}@test.invalid", "Zoë \N{OWL}")]
    db.execute(f"UPDATE users SET {name} = 'Łukasz' WHERE {rows['users']}")
    assert db.value(f"SELECT {name} FROM users WHERE {rows['users']}") == "Łukasz"


def test_what_is_written_is_gone_after_a_rollback(db, rows):
    db.connection.rollback()
    assert db.value("SELECT count(*) FROM agents WHERE slug = 'smoke-test-agent'") == 0


@pytest.mark.parametrize("table, column, constraint", FOREIGN_KEYS, ids=[key[2] for key in FOREIGN_KEYS])
def test_a_row_that_refers_to_nothing_is_refused(db, rows, schema, table, column, constraint):
    if not schema.has("constraint", f"{table}.{constraint}"):
        pytest.skip(f"{constraint} does not exist at this revision")
    db.refuses("23503", constraint, f"UPDATE {table} SET {column} = -1 WHERE {rows[table]}")


@pytest.mark.parametrize(
    "table, constraint, statement",
    [
        ("users", "uq_users_email", "INSERT INTO users (email, {name}) SELECT email, 'Twin' FROM users WHERE {row}"),
        ("agents", "uq_agents_slug", "INSERT INTO agents (slug, title, provider, model, owner_id) SELECT slug, title, provider, model, owner_id FROM agents WHERE {row}"),
        ("debate_participants", "pk_debate_participants", "INSERT INTO debate_participants SELECT * FROM debate_participants WHERE {row}"),
        ("votes", "uq_votes_message_id_user_id", "INSERT INTO votes (message_id, user_id, value) SELECT message_id, user_id, -1 FROM votes WHERE {row}"),
        ("user_preferences", "pk_user_preferences", "INSERT INTO user_preferences SELECT * FROM user_preferences WHERE {row}"),
        ("api_keys", "uq_api_keys_digest", "INSERT INTO api_keys (user_id, label, digest) SELECT user_id, label, digest FROM api_keys WHERE {row}"),
    ],
    ids=lambda value: value if value.startswith(("uq_", "pk_")) else "",
)
def test_a_duplicate_is_refused(db, rows, schema, table, constraint, statement):
    if table not in rows:
        pytest.skip(f"{table} does not exist at this revision")
    name = "display_name" if schema.has("column", "users.display_name") else "name"
    db.refuses("23505", constraint, statement.format(row=rows[table], name=name))


@pytest.mark.parametrize(
    "table, constraint, assignment",
    [
        ("debates", "ck_debates_status", "status = 'nonsense'"),
        ("debates", "ck_debates_rounds", "rounds = 0"),
        ("debate_participants", "ck_debate_participants_stance", "stance = 'neither'"),
        ("votes", "ck_votes_value", "value = 5"),
        ("api_keys", "ck_api_keys_digest", "digest = 'short'"),
    ],
    ids=lambda value: value if value.startswith("ck_") else "",
)
def test_a_value_out_of_bounds_is_refused(db, rows, table, constraint, assignment):
    if table not in rows:
        pytest.skip(f"{table} does not exist at this revision")
    db.refuses("23514", constraint, f"UPDATE {table} SET {assignment} WHERE {rows[table]}")


def test_a_user_without_a_name_is_refused(db, schema):
    if not schema.tables():
        pytest.skip("there are no tables at base")
    db.refuses("23502", None, "INSERT INTO users (email) VALUES ('nobody@test.invalid')")


def test_a_debate_is_public_unless_said_otherwise(db, rows, schema):
    if not schema.has("column", "debates.visibility"):
        pytest.skip("debates.visibility does not exist at this revision")
    assert db.value(f"SELECT visibility FROM debates WHERE {rows['debates']}") == "public"


def test_old_and_new_code_see_the_same_name(db, rows, schema):
    if not schema.has("trigger", "users.users_sync_display_name"):
        pytest.skip("users.name and users.display_name do not stand side by side at this revision")
    both = f"SELECT name, display_name FROM users WHERE {rows['users']}"
    assert db.execute(both) == [("Zoë \N{OWL}", "Zoë \N{OWL}")], "written as display_name"
    db.execute(f"UPDATE users SET name = 'Old code' WHERE {rows['users']}")
    assert db.execute(both) == [("Old code", "Old code")], "changed as name"
    db.execute(f"UPDATE users SET display_name = 'New code' WHERE {rows['users']}")
    assert db.execute(both) == [("New code", "New code")], "changed as display_name"
    db.execute(f"UPDATE users SET updated_at = now() WHERE {rows['users']}")
    assert db.execute(both) == [("New code", "New code")], "changed elsewhere"


def test_deleting_a_debate_deletes_its_messages_and_votes(db, rows):
    if "votes" not in rows:
        pytest.skip("votes do not exist at this revision")
    db.execute(f"DELETE FROM debates WHERE {rows['debates']}")
    for table in ("debate_participants", "messages", "votes"):
        assert db.value(f"SELECT count(*) FROM {table} WHERE {rows[table]}") == 0, f"{table} kept rows of a deleted debate"


def test_events_go_to_the_partition_of_their_month(db, schema):
    if not schema.present["partition"]:
        pytest.skip("audit_events does not exist at this revision")
    cases = [("1999-01-01 00:00:00+00", "audit_events_default"), ("2400-06-15 12:00:00+00", "audit_events_default")]
    for name, bounds in schema.present["partition"].items():
        if bounds != "default":
            cases.append((f"{bounds.split()[0]} 00:00:00+00", name.split(".")[1]))
    for moment, expected in cases:
        actual = db.value(
            "INSERT INTO audit_events (occurred_at, action) VALUES (%s, 'smoke.test') RETURNING tableoid::regclass::text", moment
        )
        assert actual == expected, f"an event of {moment} went to {actual}, not to {expected}"


# Helpers


def report(promised, actual):
    """Fail with every difference at once."""
    wrong = [
        f"{name}: {actual.get(name, 'missing')}" + (f", not {detail}" if name in actual else f" (promised: {detail})")
        for name, detail in promised.items()
        if actual.get(name) != detail
    ]
    assert not wrong, "not as this revision promises:\n  " + "\n  ".join(wrong)


def columns(db):
    return {
        name: type_ + (" not null" if required else "")
        for name, type_, required in db.execute(
            """
            SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
            """
        )
    }


def constraints(db):
    kinds = {"p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclude"}
    return {
        name: kinds.get(kind, kind) + ("" if valid else " not valid")
        for name, kind, valid in db.execute(
            """
            SELECT t.relname || '.' || k.conname, k.contype::text, k.convalidated
            FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
            WHERE k.connamespace = 'public'::regnamespace
            """
        )
    }


def partitions(db):
    return db.execute(
        """
        SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND c.relkind IN ('r', 'p')
        """
    )
