"""The connection of the smoke tests.

DATABASE_URL (or ARAGORA_POSTGRES_DSN)  the database, postgresql://
ARAGORA_READ_ONLY=1                     sessions are read-only by default; tests that write are skipped
ARAGORA_SMOKE_STATEMENT_TIMEOUT         30s unless said otherwise
ARAGORA_EXPECTED_REVISION               the revision the database must be at
"""
import os
import re

import pytest

from promises import Schema, revisions_up_to

try:
    import psycopg2 as driver
    from psycopg2.extensions import parse_dsn as conninfo_to_dict
except ImportError:
    import psycopg as driver
    from psycopg.conninfo import conninfo_to_dict


def read_only():
    value = os.environ.get("ARAGORA_READ_ONLY", "").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise pytest.UsageError(f"ARAGORA_READ_ONLY={value!r} is neither 1 nor 0.")


def statement_timeout():
    value = os.environ.get("ARAGORA_SMOKE_STATEMENT_TIMEOUT") or "30s"
    if not re.fullmatch(r"[0-9]{1,9}(ms|s|min)", value):
        raise pytest.UsageError(f"ARAGORA_SMOKE_STATEMENT_TIMEOUT={value!r} is not a duration such as 30s.")
    return value


def pytest_configure(config):
    # Before any test: a mistyped switch must not open a session that can write.
    read_only()
    statement_timeout()


def pytest_collection_modifyitems(items):
    if read_only():
        for item in items:
            if item.get_closest_marker("production_safe") is None:
                item.add_marker(pytest.mark.skip(reason="writes, and ARAGORA_READ_ONLY is set"))


class Database:
    """One session. Every test ends with a rollback."""

    def __init__(self, url):
        settings = {"statement_timeout": statement_timeout(), "lock_timeout": "5s", "search_path": "public"}
        if read_only():
            settings["default_transaction_read_only"] = "on"
        # An options argument replaces those of the URL and PGOPTIONS, so they are carried over; ours come last and win.
        options = conninfo_to_dict(url).get("options") or os.environ.get("PGOPTIONS", "")
        options += "".join(f" -c {name}={value}" for name, value in settings.items())
        self.connection = driver.connect(
            url, options=options, application_name="aragora-smoke", connect_timeout=10, client_encoding="utf8"
        )

    def execute(self, sql, *parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *parameters):
        rows = self.execute(sql, *parameters)
        return rows[0][0] if rows else None

    def refuses(self, sqlstate, constraint, sql, *parameters):
        """Assert that the server refuses a statement for this very reason."""
        self.execute("SAVEPOINT attempt")
        try:
            self.execute(sql, *parameters)
            # Deferred checks would otherwise wait for a commit that never comes.
            self.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except driver.Error as error:
            actual = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
            reason = f"SQLSTATE {actual}, constraint {error.diag.constraint_name}: {error.diag.message_primary}"
            assert actual == sqlstate, f"refused, but for another reason: {reason}"
            if constraint is not None:
                assert error.diag.constraint_name == constraint, f"refused, but by another constraint: {reason}"
        else:
            pytest.fail(f"The database accepted what {constraint or 'SQLSTATE ' + sqlstate} forbids: {' '.join(sql.split())}")
        finally:
            self.execute("ROLLBACK TO SAVEPOINT attempt")


@pytest.fixture(scope="session")
def session():
    url = os.environ.get("DATABASE_URL") or os.environ.get("ARAGORA_POSTGRES_DSN")
    if not url:
        pytest.fail("No database is named: set DATABASE_URL to a postgresql:// URL.", pytrace=False)
    match = re.match(r"(postgres|postgresql)(\+\w+)?://", url)
    if match is None:
        pytest.fail("DATABASE_URL does not start with postgresql://", pytrace=False)
    try:
        database = Database("postgresql://" + url[match.end():])
    except driver.Error as error:
        # The driver's message names host and role, not the password; a malformed URL may be quoted, so it is left out.
        malformed = "connection info string" in str(error) or "URI" in str(error) or "percent-encoded" in str(error)
        complaint = "DATABASE_URL is malformed" if malformed else str(error).strip()
        pytest.fail(f"Cannot connect: {complaint}", pytrace=False)
    yield database
    database.connection.close()


@pytest.fixture
def db(session):
    session.connection.rollback()
    yield session
    session.connection.rollback()


@pytest.fixture
def current(db):
    """The revisions that the database says it is at: normally one, none at base."""
    if db.value("SELECT to_regclass('public.alembic_version')") is None:
        pytest.fail("There is no table public.alembic_version: no migration has run in this database.", pytrace=False)
    return [row[0] for row in db.execute("SELECT version_num FROM public.alembic_version ORDER BY version_num")]


@pytest.fixture
def schema(current):
    return Schema(revisions_up_to(current))
