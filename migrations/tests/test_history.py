"""The migration history on a real, empty scratch database.

    ARAGORA_SCRATCH_DATABASE_URL=postgresql://... python3 -m pytest migrations/tests

The database must be empty, and is empty again afterwards.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

try:
    import psycopg2 as driver
except ImportError:
    import psycopg as driver

TREE = Path(__file__).resolve().parents[1]
SMOKE = TREE.parent / "tests" / "integration"
SEED = next((TREE / "seed").glob("*.sql"))
SEED_REVISION = SEED.stem
INDEX_REVISION, BACKFILL_REVISION, CONTRACT_REVISION = "5a0fc93e7d14", "f7d2846b1ea5", "d13f60a8b75e"
SCRATCH = os.environ.get("ARAGORA_SCRATCH_DATABASE_URL")

scripts = ScriptDirectory.from_config(Config(str(TREE / "alembic.ini")))
history = list(reversed(list(scripts.walk_revisions())))
revisions = [script.revision for script in history]
needs_database = pytest.mark.skipif(not SCRATCH, reason="ARAGORA_SCRATCH_DATABASE_URL is not set")


# The tree itself


def test_history_is_one_line_of_documented_revisions():
    assert len(scripts.get_heads()) == 1
    assert len(history) >= 12
    below = None
    for script in history:
        assert script.down_revision == below
        assert re.fullmatch(r"[0-9a-f]{12}", script.revision)
        source = Path(script.path).read_text(encoding="utf-8")
        date = re.search(r"^Create Date: (\d{4})-(\d\d)-(\d\d) \d\d:\d\d:\d\d$", source, re.MULTILINE)
        assert Path(script.path).name.startswith("".join(date.groups()) + "_" + script.revision + "_")
        assert f"Revision ID: {script.revision}\n" in source
        assert f"Revises: {below}\n" in source or (below is None and "Revises:\n" in source)
        assert "\nWhy: " in source and "\nDowngrade: " in source
        destroys = script.module.downgrade_destroys
        assert destroys is None or (isinstance(destroys, str) and destroys)
        below = script.revision
    names = [Path(script.path).name for script in history]
    assert names == sorted(names), "create dates go backwards"


def test_seed_belongs_to_a_revision_below_head():
    assert 3 <= len(revisions) - 1 - revisions.index(SEED_REVISION) <= 4


def test_smoke_tests_know_every_revision():
    sys.path.insert(0, str(SMOKE))
    from promises import PROMISES

    assert list(PROMISES) == revisions


# Helpers


class Failed(Exception):
    pass


def alembic(*arguments, tree=TREE, **environment):
    """Run the alembic command in a process of its own and return its output."""
    process = start_alembic(*arguments, tree=tree, **environment)
    return finish(process)


def start_alembic(*arguments, tree=TREE, **environment):
    given = {name: value for name, value in os.environ.items() if not name.startswith("ARAGORA_")}
    given.update({"DATABASE_URL": SCRATCH or "", "PYTHONDONTWRITEBYTECODE": "1"}, **environment)
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", "-c", str(tree / "alembic.ini"), *arguments],
        env=given, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )


def finish(process):
    output, errors = process.communicate(timeout=120)
    if process.returncode != 0:
        raise Failed(output + errors)
    return output


def smoke(revision):
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SMOKE / "test_database.py")],
        env={**os.environ, "DATABASE_URL": SCRATCH, "ARAGORA_EXPECTED_REVISION": revision, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )
    return process.returncode, process.stdout


def connect(url=None):
    connection = driver.connect(url or SCRATCH, application_name="aragora-test-history")
    connection.autocommit = True
    return connection


def query(sql, *parameters):
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def schema():
    """All of the schema that a downgrade must put back. Not the order of columns: a column that returns is the last one."""
    return sorted(
        query(
            """
            SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
                   || a.attidentity::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) || ' ' || convalidated
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || ' ' || indisvalid
            FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL
            SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'sequence', c.relname, format_type(s.seqtypid, NULL) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'partition', relname, pg_get_expr(relpartbound, oid) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relispartition AND relkind = 'r'
            """
        )
    )


def data():
    """{table: (rows, hash of their content)}; partitions count with their parent, columns in the order of their names."""
    tables = query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition AND relname <> 'alembic_version'"
    )
    return {
        table: query(f'SELECT count(*), sum(hashtextextended(to_jsonb(t)::text, 0)::numeric) FROM public."{table}" t')[0]
        for (table,) in tables
    }


def current():
    rows = query("SELECT version_num FROM alembic_version")
    return rows[0][0] if rows else None


def empty_the_database():
    for (table,) in query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"):
        query(f'DROP TABLE public."{table}" CASCADE')
    for (function,) in query("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"):
        query(f"DROP FUNCTION {function} CASCADE")


@pytest.fixture(scope="session")
def scratch():
    found = query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')")
    if found:
        pytest.fail(f"The scratch database is not empty (it has {found[0][0]}). These tests drop every table: name an empty one.")
    yield
    empty_the_database()


@pytest.fixture
def fresh(scratch, monkeypatch):
    """An empty database, and Alembic's own commands in this process pointed at it."""
    empty_the_database()
    for name in list(os.environ):
        if name.startswith("ARAGORA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", SCRATCH)


def upgrade(revision):
    command.upgrade(Config(str(TREE / "alembic.ini")), revision)


def downgrade(revision):
    command.downgrade(Config(str(TREE / "alembic.ini")), revision)


def add_users_without_display_name(count):
    query("ALTER TABLE users DISABLE TRIGGER users_sync_display_name")
    query("INSERT INTO users (email, name) SELECT n || '@test.invalid', 'User ' || n FROM generate_series(1, %s) n", count)
    query("ALTER TABLE users ENABLE TRIGGER users_sync_display_name")


# Up and down


@needs_database
def test_each_downgrade_restores_the_schema_and_smoke_tests_pass_everywhere(fresh):
    schemas = [None]
    for revision in revisions:
        upgrade(revision)
        schemas.append(schema())
        code, output = smoke(revision)
        assert code == 0, f"smoke tests at {revision}:\n{output}"
    for position in reversed(range(len(revisions))):
        below = revisions[position - 1] if position else "base"
        downgrade(below)
        if position:
            assert schema() == schemas[position], f"the downgrade of {revisions[position]} does not restore the schema of {below}"
    code, output = smoke("base")
    assert code == 0, f"smoke tests at base:\n{output}"
    assert data() == {}, "base has tables"
    upgrade("head")
    assert schema() == schemas[-1], "head after a full round differs from head before"


@needs_database
def test_data_survives_every_downgrade_that_says_so(fresh):
    upgrade(SEED_REVISION)
    query(SEED.read_text(encoding="utf-8"))
    seeded = data()
    assert 195_000 <= sum(rows for rows, _ in seeded.values()) <= 215_000

    # What a downgrade to a revision must find again, recorded on the way up.
    recorded = {SEED_REVISION: seeded}
    started = time.monotonic()
    for revision in revisions[revisions.index(SEED_REVISION) + 1:]:
        before = time.monotonic()
        upgrade(revision)
        print(f"upgrade to {revision}: {time.monotonic() - before:.2f} s")
        recorded[revision] = data()
    assert time.monotonic() - started < 15

    code, output = smoke(revisions[-1])
    assert code == 0, output

    above = recorded[revisions[-1]]
    for position in reversed(range(len(revisions))):
        script = history[position]
        below = revisions[position - 1] if position else "base"
        before = time.monotonic()
        downgrade(below)
        print(f"downgrade to {below}: {time.monotonic() - before:.2f} s")
        now = data()
        if script.module.downgrade_destroys is None:
            expected = dict(recorded.get(below, above))
            if script.revision in (INDEX_REVISION, BACKFILL_REVISION):
                # From here on down users.display_name stays filled in: see downgrade_leaves of the backfill.
                expected["users"] = above["users"]
            if script.revision == "b86d1e4f97c2":
                # users loses a column whose values it also has in another.
                assert query("SELECT count(*) FROM users WHERE name IS NULL")[0][0] == 0
                expected["users"] = now["users"]
            assert now == expected, f"the downgrade of {script.revision} says that nothing is lost"
        else:
            assert now != above, f"the downgrade of {script.revision} says that it destroys {script.module.downgrade_destroys}, but it does not"
        above = now


@needs_database
def test_models_are_the_schema_at_head(fresh, tmp_path):
    upgrade("head")
    assert autogenerate(tmp_path) == ["pass", "pass"]


@needs_database
def test_a_changed_model_is_noticed(fresh, tmp_path):
    """Else an empty autogenerate would prove nothing."""
    upgrade("head")
    query("ALTER TABLE users DROP COLUMN display_name")
    assert any("display_name" in line for line in autogenerate(tmp_path))


def autogenerate(folder):
    """Have a revision made, in a copy of the tree, and return what its two functions do."""
    copy = folder / "migrations"
    shutil.copytree(TREE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    known = set((copy / "versions").glob("*.py"))
    alembic("revision", "--autogenerate", "-m", "made by a test", tree=copy)
    (made,) = set((copy / "versions").glob("*.py")) - known
    body = made.read_text(encoding="utf-8").split("def upgrade():")[1]
    return re.findall(r"^    ([^#\s].*)$", body, re.MULTILINE)


@needs_database
def test_sql_scripts_do_what_alembic_does(fresh):
    upgrade("head")
    expected = schema()
    empty_the_database()
    # Needs no database to be written.
    script = alembic("upgrade", "head", "--sql", DATABASE_URL="", ARAGORA_LOCK_TIMEOUT="5s")
    assert script.startswith("SET lock_timeout = 5000;")
    run_script(script)
    assert schema() == expected
    run_script(alembic("downgrade", "head:base", "--sql", DATABASE_URL=""))
    assert data() == {}


def run_script(script):
    # Statement by statement, as psql does: what surrounds a COMMIT in one string would be a transaction.
    connection = connect()
    with connection.cursor() as cursor:
        for statement in re.split(r";\n\n", script):
            if statement.strip(" \n;"):
                cursor.execute(statement)
    connection.close()


@needs_database
def test_commands_work_from_a_path_with_spaces(fresh, tmp_path):
    tree = tmp_path / "a path with spaces" / "migrations"
    shutil.copytree(TREE, tree, ignore=shutil.ignore_patterns("__pycache__"))
    assert alembic("heads", tree=tree).split() == [revisions[-1], "(head)"]
    assert alembic("current", tree=tree) == ""
    alembic("upgrade", revisions[1], tree=tree)
    assert alembic("current", tree=tree).split() == [revisions[1]]
    assert f"{revisions[0]} -> {revisions[1]} (current)" in alembic("history", "--indicate-current", tree=tree)


@needs_database
def test_two_upgrades_at_once_end_in_one_whole_history(fresh):
    processes = [start_alembic("upgrade", "head") for _ in range(2)]
    for process in processes:
        process.communicate(timeout=120)
    upgrade("head")
    query("DROP TABLE IF EXISTS backfill_f7d2846b1ea5")  # by hand, without the runbook's lock, the slower one may have made it anew
    code, output = smoke(revisions[-1])
    assert code == 0, output


# What the environment asks for


UNREACHABLE = "postgresql://someone:topsecret@127.0.0.1:1/nowhere"


@pytest.mark.parametrize(
    "environment, complaint",
    [
        ({"DATABASE_URL": ""}, "No database is named"),
        ({"DATABASE_URL": "mysql://a:topsecret@b/c"}, "does not start with postgresql://"),
        ({"DATABASE_URL": "postgresql+nonsense://a:topsecret@b/c"}, "does not start with postgresql://"),
        ({"DATABASE_URL": "postgresql://a:topsecret%zz@b/c"}, "malformed"),
        ({"ARAGORA_POSTGRES_DSN": "postgresql://a:topsecret@b/c"}, "name different databases"),
        ({"ARAGORA_LOCK_TIMEOUT": "5sec"}, "is not a duration"),
        ({"ARAGORA_LOCK_TIMEOUT": "5 s; DROP TABLE users"}, "is not a duration"),
        ({"ARAGORA_STATEMENT_TIMEOUT": "-1"}, "is not a duration"),
        ({"ARAGORA_STATEMENT_TIMEOUT": "30d"}, "is not a duration"),
        ({"ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT": "soon"}, "is not a duration"),
        ({"ARAGORA_APPLICATION_NAME": "ä"}, "printable ASCII"),
        ({"ARAGORA_APPLICATION_NAME": "x" * 64}, "printable ASCII"),
        ({"ARAGORA_BACKFILL_BATCH_SIZE": "0"}, "whole number"),
        ({"ARAGORA_BACKFILL_PAUSE_MS": "-1"}, "whole number"),
    ],
)
def test_bad_settings_are_refused_before_connecting(environment, complaint):
    with pytest.raises(Failed) as failure:
        alembic("upgrade", "head", **{"DATABASE_URL": UNREACHABLE, **environment})
    assert complaint in str(failure.value)
    assert "topsecret" not in str(failure.value)
    assert "Traceback" not in str(failure.value)


def test_the_password_is_not_shown_when_the_server_cannot_be_reached():
    with pytest.raises(Failed) as failure:
        alembic("current", DATABASE_URL=UNREACHABLE)
    assert "topsecret" not in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert "Cannot connect to the database" in str(failure.value) and "127.0.0.1" in str(failure.value)


@needs_database
@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_either_variable_and_scheme_names_the_database(fresh, scheme):
    url = scheme + "://" + SCRATCH.split("://", 1)[1]
    alembic("upgrade", revisions[0], DATABASE_URL="", ARAGORA_POSTGRES_DSN=url)
    assert current() == revisions[0]
    alembic("current", DATABASE_URL=SCRATCH, ARAGORA_POSTGRES_DSN=url)


@needs_database
def test_limits_and_name_hold_in_the_session_that_migrates(fresh):
    upgrade(revisions[5])
    blocker = connect()
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM debates")
    process = start_alembic("upgrade", "head", ARAGORA_LOCK_TIMEOUT="1500ms", ARAGORA_APPLICATION_NAME="aragora run 7")
    seen = False
    deadline = time.monotonic() + 20
    while not seen and process.poll() is None and time.monotonic() < deadline:
        seen = bool(query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'aragora run 7' AND wait_event_type = 'Lock'"))
        time.sleep(0.05)
    with pytest.raises(Failed, match="lock timeout"):
        finish(process)
    blocker.close()
    assert seen, "no session of that name was waiting"
    assert current() == revisions[5], "what did not happen must not be recorded"


@needs_database
def test_a_pooler_that_drops_the_limits_is_noticed(fresh):
    target = query("SELECT host(inet_server_addr()), inet_server_port()")[0]
    if target[0] is None:
        pytest.skip("the scratch database is reached through a socket; this test needs TCP")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=forget_options, args=(listener, target), daemon=True).start()
    port = listener.getsockname()[1]
    separator = "&" if "?" in SCRATCH else "?"
    # hostaddr and port in the query override those of the authority.
    url = f"{SCRATCH}{separator}hostaddr=127.0.0.1&port={port}&sslmode=disable&gssencmode=disable"
    with pytest.raises(Failed, match="did not keep its settings.*lock_timeout"):
        alembic("upgrade", "head", DATABASE_URL=url, ARAGORA_LOCK_TIMEOUT="5s")
    listener.close()
    assert data() == {}


def forget_options(listener, target):
    """A pooler in a few lines: passes everything on, but leaves "options" out of the startup packet."""
    client, _ = listener.accept()
    server = socket.create_connection(target)
    length = int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big")
    packet = client.recv(length - 4, socket.MSG_WAITALL)
    fields = packet[4:].split(b"\0")
    pairs = [(name, value) for name, value in zip(fields[::2], fields[1::2]) if name and name != b"options"]
    packet = packet[:4] + b"".join(name + b"\0" + value + b"\0" for name, value in pairs) + b"\0"
    server.sendall((len(packet) + 4).to_bytes(4, "big") + packet)

    def copy(source, sink):
        while True:
            try:
                received = source.recv(65536)
                if not received:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(received)
            except OSError:
                return

    threading.Thread(target=copy, args=(server, client), daemon=True).start()
    copy(client, server)


# The delicate revisions


@needs_database
def test_an_invalid_index_left_behind_is_replaced(fresh):
    upgrade(SEED_REVISION)
    query("INSERT INTO users (email, name) VALUES ('a@test.invalid', 'A')")
    query("INSERT INTO agents (slug, title, provider, model, owner_id) SELECT 'a', 'A', 'none', 'none', id FROM users")
    query("INSERT INTO debates (topic, created_by) SELECT 'T', id FROM users")
    query("INSERT INTO messages (debate_id, agent_id, round, body) SELECT d.id, a.id, 1, 'B' FROM debates d, agents a, generate_series(1, 2)")
    with pytest.raises(driver.Error):
        query("CREATE UNIQUE INDEX CONCURRENTLY ix_messages_agent_id_created_at ON messages (round)")
    code, output = smoke(SEED_REVISION)
    assert code == 1 and "INVALID" in output
    upgrade(INDEX_REVISION)
    code, output = smoke(INDEX_REVISION)
    assert code == 0, output


@needs_database
def test_an_index_built_by_hand_is_kept_and_another_of_its_name_refused(fresh):
    upgrade(SEED_REVISION)
    query("CREATE INDEX ix_messages_agent_id_created_at ON messages (agent_id, created_at)")
    before = query("SELECT 'ix_messages_agent_id_created_at'::regclass::oid")
    upgrade(INDEX_REVISION)
    assert query("SELECT 'ix_messages_agent_id_created_at'::regclass::oid") == before
    downgrade(SEED_REVISION)
    query("CREATE INDEX ix_messages_agent_id_created_at ON messages (round)")
    with pytest.raises(Failed, match="There is another index"):
        alembic("upgrade", "head")
    assert current() == SEED_REVISION


@needs_database
def test_an_interrupted_backfill_goes_on_where_it_stopped(fresh):
    upgrade(INDEX_REVISION)
    add_users_without_display_name(100)
    blocker = connect()
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users WHERE id = 55 FOR UPDATE")
    with pytest.raises(Failed, match="lock timeout"):
        alembic("upgrade", "head", ARAGORA_LOCK_TIMEOUT="300ms", ARAGORA_BACKFILL_BATCH_SIZE="10")
    blocker.close()

    assert current() == INDEX_REVISION
    assert query("SELECT count(*) FROM users WHERE display_name IS NOT NULL") == [(50,)]
    assert query("SELECT done_to FROM backfill_f7d2846b1ea5") == [(50,)]
    code, output = smoke(INDEX_REVISION)
    assert code == 1 and "test_no_backfill_was_left_unfinished" in output

    # A row below the position would be filled only by a run that starts over.
    query("ALTER TABLE users DISABLE TRIGGER users_sync_display_name")
    query("UPDATE users SET display_name = NULL WHERE id = 7")
    query("ALTER TABLE users ENABLE TRIGGER users_sync_display_name")
    upgrade(BACKFILL_REVISION)
    assert query("SELECT id FROM users WHERE display_name IS NULL") == [(7,)]
    assert query("SELECT to_regclass('backfill_f7d2846b1ea5')") == [(None,)]

    # The next revision refuses the row, and passes once it is filled.
    with pytest.raises(Failed, match="ck_users_display_name_not_null"):
        alembic("upgrade", "head")
    assert current() == BACKFILL_REVISION
    query("UPDATE users SET updated_at = now() WHERE id = 7")
    upgrade("head")
    assert query("SELECT count(*) FROM users WHERE display_name = 'User ' || id") == [(100,)]


@needs_database
def test_contract_refuses_to_lose_a_name_and_its_downgrade_restores_it(fresh):
    upgrade(SEED_REVISION)
    add_users_without_display_name(30)
    upgrade("09be5c7a3f81")
    query("ALTER TABLE users DISABLE TRIGGER users_sync_display_name")
    query("UPDATE users SET name = 'Another' WHERE id = 3")
    query("ALTER TABLE users ENABLE TRIGGER users_sync_display_name")
    with pytest.raises(Failed, match="first at id 3"):
        alembic("upgrade", "head")
    assert current() == "09be5c7a3f81"
    query("UPDATE users SET display_name = 'Another one' WHERE id = 3")
    upgrade("head")
    query("UPDATE users SET display_name = 'Changed since' WHERE id = 4")

    # Interrupted halfway, then run again; meanwhile the new code goes on writing.
    query("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped here'; END $$")
    query("CREATE TRIGGER stop BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = 15) EXECUTE FUNCTION stop()")
    with pytest.raises(Failed, match="stopped here"):
        alembic("downgrade", "-1", ARAGORA_BACKFILL_BATCH_SIZE="10")
    query("DROP FUNCTION stop() CASCADE")
    assert query("SELECT count(*) FROM users WHERE name IS NOT NULL") == [(10,)]
    assert current() == CONTRACT_REVISION
    query("INSERT INTO users (email, display_name) VALUES ('late@test.invalid', 'Late')")
    alembic("downgrade", "-1", ARAGORA_BACKFILL_BATCH_SIZE="10")
    assert query("SELECT count(*) FROM users WHERE name = display_name") == [(31,)]
    assert query("SELECT name FROM users WHERE id IN (3, 4) ORDER BY id") == [("Another one",), ("Changed since",)]


@needs_database
def test_smoke_tests_name_what_is_broken(fresh):
    upgrade("head")
    query("INSERT INTO users (id, email, display_name) VALUES (1000, 'a@test.invalid', 'A')")
    query("ALTER TABLE votes DROP CONSTRAINT fk_votes_user_id_users")
    query("ALTER TABLE debates DROP CONSTRAINT ck_debates_status")
    query("ALTER TABLE users ADD COLUMN name varchar(255)")
    query("ALTER TABLE audit_events DETACH PARTITION audit_events_y2026m03")
    query("DROP INDEX ix_messages_agent_id_created_at")
    code, output = smoke(revisions[-2])
    assert code == 1
    for complaint in (
        f"the database is at {revisions[-1]}, not at {revisions[-2]}",
        "votes.fk_votes_user_id_users: missing",
        "debates.ck_debates_status: missing",
        "messages.ix_messages_agent_id_created_at: missing",
        "there should be no column users.name",
        "public.users_id_seq gives 1 next, but public.users.id goes up to 1000",
        "audit_events.audit_events_y2026m03: missing",
        "went to audit_events_default, not to audit_events_y2026m03",
        "The database accepted what ck_debates_status forbids",
    ):
        assert complaint in output, f"{complaint}\n\n{output}"
