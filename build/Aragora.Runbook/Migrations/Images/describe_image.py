"""Says which migrations tree lies here, and which database is reached from here, as one line of JSON behind a mark.

Run as: python -c <this> <alembic.ini> [<variable that holds the URL> ...]. Without variables no database is asked.
It runs on the machine that holds the tree at hand and in the image that is to migrate; the two answers are compared.
"""
import asyncio
import hashlib
import json
import os
import sys
import traceback

answer = sys.stdout
sys.stdout = sys.stderr  # a revision that prints while it is imported must not spoil the answer

IDENTITY = (
    "SELECT s.system_identifier::text, d.oid::bigint, d.datname::text, current_user::text"
    " FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()"
)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def tree(configuration):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if not os.path.isfile(configuration):
        raise FileNotFoundError("there is no " + configuration + " in " + os.getcwd())
    script = ScriptDirectory.from_config(Config(configuration))
    folder = os.path.abspath(str(script.dir))
    files = {"alembic.ini": sha256(configuration)}
    for name in os.listdir(folder):
        if name == "env.py" or name.endswith(".mako"):
            files[name] = sha256(os.path.join(folder, name))
    for revision in script.walk_revisions("base", "heads"):
        path = os.path.abspath(revision.path)
        files[os.path.relpath(path, folder).replace(os.sep, "/")] = sha256(path)
    return {"files": files, "heads": sorted(script.get_heads())}


def plain(url):
    """The URL without the driver's name in its scheme, as libpq reads it."""
    scheme, mark, rest = url.partition("://")
    return "postgresql" + mark + rest if scheme.startswith("postgres") else url


def identity(url):
    try:
        import psycopg2 as driver
    except ImportError:
        try:
            import psycopg as driver
        except ImportError:
            return asyncio.run(identity_by_asyncpg(url))
    connection = driver.connect(plain(url))
    try:
        cursor = connection.cursor()
        cursor.execute(IDENTITY)
        return cursor.fetchone()
    finally:
        connection.close()


async def identity_by_asyncpg(url):
    import asyncpg

    connection = await asyncpg.connect(plain(url))
    try:
        return await connection.fetchrow(IDENTITY)
    finally:
        await connection.close()


def database(variables):
    url = next((os.environ[name] for name in variables if os.environ.get(name)), None)
    if url is None:
        raise LookupError("none of the variables " + ", ".join(variables) + " is set")
    system, oid, name, role = identity(url)
    return {"systemIdentifier": system, "oid": oid, "name": name, "role": role}


def ask(what, question, told):
    try:
        told[what] = question()
    except (Exception, SystemExit) as error:
        # A driver's message names host and role, never the password; a URL that is malformed is quoted by some.
        message = "".join(traceback.format_exception_only(type(error), error)).strip()
        for name in sys.argv[2:]:
            url = os.environ.get(name)
            if url:
                message = message.replace(url, "***").replace(plain(url), "***")
        told[what + "Error"] = message[:1000]


told = {}
ask("tree", lambda: tree(sys.argv[1]), told)
if len(sys.argv) > 2:
    ask("database", lambda: database(sys.argv[2:]), told)
answer.write("ARAGORA-IMAGE " + json.dumps(told) + "\n")
answer.flush()
