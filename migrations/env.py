"""How Alembic reaches the database: which one, with which driver, under which limits.

Everything comes from the environment (see README.md) and is checked before anything runs.
The URL is never printed: it may hold the password.
"""
import importlib.util
import logging
import os
import re
import sys
from logging.config import fileConfig
from pathlib import Path

import sqlalchemy.exc
from alembic import context
from alembic.util import CommandError
from sqlalchemy import create_engine, event, pool, text

sys.path.insert(0, str(Path(__file__).resolve().parent))
from models import metadata  # noqa: E402

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
log = logging.getLogger("alembic.aragora")

URL_VARIABLES = ("DATABASE_URL", "ARAGORA_POSTGRES_DSN")

# Environment variable -> server setting. All of them are durations.
TIMEOUTS = {
    "ARAGORA_LOCK_TIMEOUT": "lock_timeout",
    "ARAGORA_STATEMENT_TIMEOUT": "statement_timeout",
    "ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT": "idle_in_transaction_session_timeout",
}
MILLISECONDS = {"": 1, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
LARGEST_TIMEOUT = 2**31 - 1

DRIVERS = ("psycopg2", "psycopg", "asyncpg")


def database_url():
    """The database as (driver or None, postgresql:// URL)."""
    given = {name: os.environ[name] for name in URL_VARIABLES if os.environ.get(name)}
    if not given:
        raise CommandError(f"No database is named. Set {URL_VARIABLES[0]} (or {URL_VARIABLES[1]}) to a postgresql:// URL.")

    parsed = []
    for name, url in given.items():
        match = re.match(r"(?:postgres|postgresql)(?:\+(\w+))?://", url)
        if match is None or (match.group(1) and match.group(1) not in DRIVERS):
            raise CommandError(
                f"{name} does not start with postgresql:// (or postgres://, "
                + ", ".join(f"postgresql+{driver}://" for driver in DRIVERS) + ")."
            )
        parsed.append((match.group(1), "postgresql://" + url[match.end():]))

    if len({url for _, url in parsed}) > 1:
        raise CommandError(f"{' and '.join(given)} name different databases. Set only one of them, or both to the same.")
    return parsed[0]


def choose_driver(wanted):
    """The driver the URL asks for, else the first one that is installed."""
    modern = int(sqlalchemy.__version__.split(".")[0]) >= 2
    installed = [name for name in DRIVERS if importlib.util.find_spec(name) is not None]
    usable = [name for name in installed if name != "psycopg" or modern]
    if wanted is None and usable:
        return usable[0]
    if wanted in usable:
        return wanted
    if wanted == "psycopg" and wanted in installed:
        raise CommandError(f"psycopg 3 needs SQLAlchemy 2; {sqlalchemy.__version__} is installed. Install SQLAlchemy 2, or psycopg2.")
    if wanted is not None:
        raise CommandError(f"The URL asks for the driver {wanted}, which is not installed: {sys.executable} -m pip install {wanted}")
    raise CommandError(f"No PostgreSQL driver is installed: {sys.executable} -m pip install psycopg2-binary")


def timeouts():
    """The timeouts asked for, as {server setting: milliseconds}."""
    wanted = {}
    for variable, setting in TIMEOUTS.items():
        value = os.environ.get(variable)
        if not value:
            continue
        match = re.fullmatch(r"([0-9]{1,10})\s?(|ms|s|min|h|d)", value)
        milliseconds = int(match.group(1)) * MILLISECONDS[match.group(2)] if match else None
        if milliseconds is None or milliseconds > LARGEST_TIMEOUT:
            raise CommandError(
                f"{variable}={value!r} is not a duration. Use a whole number with ms, s, min, h or d, such as 5s "
                f"(0 switches the limit off; at most {LARGEST_TIMEOUT} ms)."
            )
        wanted[setting] = milliseconds
    return wanted


def application_name():
    name = os.environ.get("ARAGORA_APPLICATION_NAME")
    # PostgreSQL cuts at 63 bytes and replaces anything but printable ASCII: the session could not be found by its name.
    if name and not re.fullmatch(r"[ -~]{1,63}", name):
        raise CommandError(f"ARAGORA_APPLICATION_NAME={name!r} must be 1 to 63 printable ASCII characters.")
    return name


def whole_number(variable, default, smallest, largest):
    value = os.environ.get(variable) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", value) or not smallest <= int(value) <= largest:
        raise CommandError(f"{variable}={value!r} must be a whole number from {smallest} to {largest}.")
    return int(value)


def server_settings():
    """All server settings of the migration's session, as text."""
    settings = {name: str(milliseconds) for name, milliseconds in timeouts().items()}
    # Revisions name tables without a schema; a schema named like the role must not catch them.
    settings["search_path"] = "public"
    return settings


def libpq_arguments(conninfo_to_dict, url):
    """Connection arguments that add our settings to those of the URL and of PGOPTIONS."""
    try:
        given = conninfo_to_dict(url)
    except Exception:
        # libpq's own message may quote part of the URL.
        raise CommandError("The database URL is malformed. Special characters in user and password must be percent-encoded.") from None
    # Sent at connect, so that they hold for every transaction and are what RESET returns to.
    # An options argument replaces PGOPTIONS, so that is carried over.
    options = [given.get("options") or os.environ.get("PGOPTIONS", "")]
    options += [f"-c {name}={value}" for name, value in server_settings().items()]
    arguments = {"options": " ".join(option for option in options if option)}
    if application_name():
        arguments["application_name"] = application_name()
    elif not given.get("application_name") and not os.environ.get("PGAPPNAME"):
        arguments["application_name"] = "aragora-migration"
    return arguments


def libpq_engine(driver, url):
    if driver == "psycopg2":
        from psycopg2.extensions import parse_dsn as conninfo_to_dict
    else:
        from psycopg.conninfo import conninfo_to_dict
    arguments = libpq_arguments(conninfo_to_dict, url)
    engine = create_engine(f"postgresql+{driver}://", poolclass=pool.NullPool, future=True)

    # The driver gets the URL itself: libpq and SQLAlchemy read some URLs differently (sockets, several hosts, "+").
    @event.listens_for(engine, "do_connect")
    def connect(dialect, record, positional, named):
        return dialect.connect(url, **{**named, **arguments})

    return engine


def cannot_connect(error):
    # The drivers name host, port, role and database in their messages, never the password.
    return CommandError(f"Cannot connect to the database: {str(error).strip() or type(error).__name__}")


def verify_settings(connection):
    """Read the settings back: a pooler may have dropped them without a word."""
    wanted = timeouts()
    rows = connection.execute(
        text("SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('lock_timeout', 'statement_timeout', "
             "'idle_in_transaction_session_timeout', 'application_name', 'search_path')")
    )
    actual = {name: setting for name, setting in rows}
    expected = {name: str(milliseconds) for name, milliseconds in wanted.items()}
    expected["search_path"] = "public"
    if application_name():
        expected["application_name"] = application_name()
    # Alembic must begin the first transaction itself.
    connection.rollback()

    wrong = [f"{name} is {actual.get(name)!r}, not {value!r}" for name, value in expected.items() if actual.get(name) != value]
    if wrong:
        raise CommandError(
            f"The session did not keep its settings ({'; '.join(wrong)}; times in ms). "
            "A connection pooler between here and the server drops them: connect to the server directly. Nothing was changed."
        )


def partition_filter(connection):
    """An include_name hook that leaves out partitions: they belong to their parent, not to the models."""
    partitions = set()

    def include_name(name, type_, parent_names):
        if type_ != "table":
            return True
        if not partitions:
            found = connection.execute(text("SELECT relname FROM pg_catalog.pg_class WHERE relispartition AND relkind IN ('r', 'p')"))
            partitions.update(found.scalars())
            partitions.add(None)
        return name not in partitions

    return include_name


def migrate(connection):
    verify_settings(connection)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        include_name=partition_filter(connection),
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_with_asyncpg(url):
    import asyncio

    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    settings = server_settings()
    if application_name():
        settings["application_name"] = application_name()
    elif not os.environ.get("PGAPPNAME"):
        settings["application_name"] = "aragora-migration"

    async def run():
        # asyncpg reads the URL itself, as libpq does for the other drivers.
        engine = create_async_engine(
            "postgresql+asyncpg://", connect_args={"dsn": url, "server_settings": settings}, poolclass=pool.NullPool
        )
        try:
            connection = await engine.connect()
        except sqlalchemy.exc.DBAPIError as error:
            raise cannot_connect(error.orig) from None
        except (OSError, asyncpg.PostgresError) as error:
            raise cannot_connect(error) from None
        try:
            await connection.run_sync(migrate)
        finally:
            await connection.close()
            await engine.dispose()

    asyncio.run(run())


def run_online():
    wanted, url = database_url()
    driver = choose_driver(wanted)
    if driver == "asyncpg":
        migrate_with_asyncpg(url)
        return
    try:
        connection = libpq_engine(driver, url).connect()
    except sqlalchemy.exc.OperationalError as error:
        raise cannot_connect(error.orig) from None
    with connection:
        migrate(connection)


def run_offline():
    """Write SQL instead of running it; needs no database."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    for name, value in server_settings().items():
        context.execute(f"SET {name} = {value}")
    with context.begin_transaction():
        context.run_migrations()


# Checked in every mode, before anything is connected to. The backfills read these.
timeouts()
application_name()
config.attributes["backfill_batch_size"] = whole_number("ARAGORA_BACKFILL_BATCH_SIZE", 5_000, 1, 1_000_000)
config.attributes["backfill_pause_seconds"] = whole_number("ARAGORA_BACKFILL_PAUSE_MS", 20, 0, 60_000) / 1_000

if context.is_offline_mode():
    run_offline()
else:
    run_online()
