using System.Globalization;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Serilog;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

/// <summary>A small Alembic tree in a folder of its own, with a plain env.py such as many projects have.</summary>
public sealed class TestTree
{
    public const string PlainEnv = """
        import os
        from logging.config import fileConfig
        from alembic import context
        from sqlalchemy import create_engine, pool
        fileConfig(context.config.config_file_name)
        engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
            with context.begin_transaction():
                context.run_migrations()
        """;

    private const string Ini = """
        [alembic]
        script_location = %(here)s
        [loggers]
        keys = root,alembic
        [handlers]
        keys = console
        [formatters]
        keys = generic
        [logger_root]
        level = WARNING
        handlers = console
        [logger_alembic]
        level = INFO
        handlers =
        qualname = alembic
        [handler_console]
        class = StreamHandler
        args = (sys.stderr,)
        formatter = generic
        [formatter_generic]
        format = %(levelname)-5.5s [%(name)s] %(message)s
        """;

    private const string Mako = "\"\"\"${message}\n\"\"\"\nfrom alembic import op\nrevision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n";

    private static readonly PythonTools Tools = new(new Aragora.Runbook.Adapters.Processes.CommandRunner(TimeProvider.System), new LoggerConfiguration().CreateLogger(), new PythonToolsOptions { Root = Path.GetTempPath(), RequirementsFile = "/nonexistent", MayInstallSystemPackages = false });

    private readonly RealServer server;

    private TestTree(RealServer server, string folder)
    {
        this.server = server;
        Folder = folder;
    }

    public string Folder { get; }

    public AlembicProject Project => new() { ConfigFile = Path.Combine(Folder, "alembic.ini") };

    public IPythonTools Python => Tools;

    public MigrationsTreeReader Reader => new(server.Commands, Tools);

    public static async Task<TestTree> NewAsync(RealServer server, string? name = null, string env = PlainEnv)
    {
        await RequireAlembicAsync();
        var folder = Path.Combine(TestFolders.New("tree"), name ?? "migrations");
        Directory.CreateDirectory(Path.Combine(folder, "versions"));
        File.WriteAllText(Path.Combine(folder, "alembic.ini"), Ini + "\n");
        File.WriteAllText(Path.Combine(folder, "env.py"), env + "\n");
        File.WriteAllText(Path.Combine(folder, "script.py.mako"), Mako);
        return new TestTree(server, folder);
    }

    public static async Task RequireAlembicAsync()
    {
        string? missing = null;
        try
        {
            await Tools.AlembicAsync(CancellationToken.None);
        }
        catch (BadInputException absent)
        {
            missing = absent.What;
        }

        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>Adds a revision; <paramref name="upgrade"/> and <paramref name="downgrade"/> are Python statements.</summary>
    public TestTree Add(string id, string? parent, string upgrade, string downgrade = "pass", string header = "")
    {
        File.WriteAllText(PathOf(id), string.Create(CultureInfo.InvariantCulture, $"""
            '''Step {id}
            '''
            import time
            from alembic import op
            revision = "{id}"
            down_revision = {(parent is null ? "None" : parent.StartsWith('(') ? parent : $"\"{parent}\"")}
            {header}
            def upgrade():
            {Indented(upgrade)}
            def downgrade():
            {Indented(downgrade)}

            """));
        return this;
    }

    /// <summary>Adds revisions r1000, r2000 … that each make a table, with downgrades.</summary>
    public TestTree AddTables(int count)
    {
        for (var i = 1; i <= count; i++)
        {
            Add($"r{i}000", i == 1 ? null : $"r{i - 1}000", $"op.execute('CREATE TABLE t{i} (id int)')", $"op.execute('DROP TABLE t{i}')", "downgrade_destroys = None");
        }

        return this;
    }

    public string PathOf(string id) => Path.Combine(Folder, "versions", $"{id}_step.py");

    public Task<MigrationsTree> ReadAsync() => Reader.ReadAsync(Project, CancellationToken.None);

    public LocalAlembicRunner Runner(RunContext run, AlembicProject? project = null) => new(server.Commands, Tools, project ?? Project, run.Secrets, run.Log, TimeProvider.System);

    public Migrator Migrator(RunContext run, MigratorOptions? options = null, AlembicProject? project = null) =>
        new(run, server.Commands, Runner(run, project), options ?? new MigratorOptions());

    private static string Indented(string text) => string.Join('\n', text.Split('\n').Select(line => "    " + line));
}
