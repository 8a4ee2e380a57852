namespace Aragora.Runbook.Tooling;

/// <summary>Finds Alembic and pytest, and installs them where they are missing: PATH, a virtual environment of this checkout, the system's packages.</summary>
public interface IPythonTools
{
    /// <summary>Alembic with a PostgreSQL driver that works.</summary>
    Task<PythonTool> AlembicAsync(CancellationToken cancellation);

    /// <summary>pytest with a PostgreSQL driver that works.</summary>
    Task<PythonTool> PytestAsync(CancellationToken cancellation);
}

/// <summary>A Python program, run as <c>Interpreter -m Module</c>.</summary>
/// <param name="Interpreter">The interpreter that has it.</param>
/// <param name="Module"><c>alembic</c> or <c>pytest</c>.</param>
/// <param name="Version">Its version.</param>
/// <param name="Driver">The PostgreSQL driver that the interpreter has: <c>psycopg2</c>, <c>psycopg</c> or <c>asyncpg</c>.</param>
/// <param name="Origin">Where it comes from, for people: "on the PATH", "virtual environment", "system packages".</param>
public sealed record PythonTool(string Interpreter, string Module, string Version, string Driver, string Origin);
