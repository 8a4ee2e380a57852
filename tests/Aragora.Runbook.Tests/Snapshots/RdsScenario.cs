using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Snapshots;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Rollbacks;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>Production: an instance in moto, and a real database that stands for what is in it. Where an instance's made-up host name leads is told by which instance bears the name, as DNS does.</summary>
internal sealed class RdsScenario
{
    public const string Content =
        """
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('r1000');
        CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
        INSERT INTO users (name) SELECT md5(i::text) FROM generate_series(1, 200) i;
        """;

    private readonly Lines lines = new();

    private RdsScenario(MotoServer moto, string instance, DatabaseEnvironment real, BackupReference dump)
    {
        (Moto, Instance, Real, Dump) = (moto, instance, real, dump);
        Environment = real with { Database = real.Database with { Host = MotoServer.AddressOf(instance), Port = 5433 } };
        Run = NewRun();
    }

    public MotoServer Moto { get; }

    public string Instance { get; }

    /// <summary>Production, by the made-up endpoint.</summary>
    public DatabaseEnvironment Environment { get; }

    /// <summary>The real database that stands for production.</summary>
    public DatabaseEnvironment Real { get; }

    /// <summary>The dump that was made of it.</summary>
    public BackupReference Dump { get; }

    /// <summary>The real database that stands for whatever is restored; null where nothing is to be.</summary>
    public PostgresUrl? Restored { get; set; }

    /// <summary>How often the product was told that production may have moved.</summary>
    public ConcurrentQueue<string> Moves { get; } = new();

    /// <summary>The revisions that the application was asked about.</summary>
    public ConcurrentQueue<string> Fitted { get; } = new();

    /// <summary>The same, as an environment.</summary>
    public DatabaseEnvironment RestoredEnvironment => Real with { Database = Restored! };

    public RunContext Run { get; }

    public IReadOnlyList<string> Log => [.. lines.All];

    public IReadOnlyList<string> Warnings => [.. lines.All.Where(line => line.StartsWith("Warning", StringComparison.Ordinal))];

    /// <summary>A shop in a database of a plain role, its dump, and an instance.</summary>
    public static async Task<RdsScenario> NewAsync(RealServer server, MotoServer moto, params (string Name, string Value)[] settings)
    {
        var role = await RestoreScenario.PlainRoleAsync(server);
        var administrator = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(administrator, $"ALTER DATABASE {SqlText.Identifier(administrator.Database.Database)} OWNER TO {role}");
        var real = administrator with { Database = administrator.Database with { User = role, Password = "plain-role-password" } };
        await RealServer.SqlAsync(real, Content);
        var made = await BackupScenario.BackUpAsync(RealServer.NewRun(), real);
        return new RdsScenario(moto, await moto.NewInstanceAsync(null, settings), real, made.Backup);
    }

    /// <summary>The same, with a database on the second server for what is restored.</summary>
    public static async Task<RdsScenario> NewAsync(RealServer server, MotoServer moto, SecondServer second, string content = Content, params (string Name, string Value)[] settings)
    {
        var scenario = await NewAsync(server, moto, settings);
        scenario.Restored = await second.NewTwinAsync(scenario.Real.Database, content);
        return scenario;
    }

    public RunContext NewRun() => RealServer.NewRun(new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(lines).CreateLogger());

    public RdsOptions Options(SwitchMode mode = SwitchMode.Print, string? snapshot = null, string accepted = "1000") => new RdsOptions
    {
        InstanceIdentifier = Instance,
        Deadline = TimeSpan.FromSeconds(60),
        PollInterval = TimeSpan.FromMilliseconds(20),
        Settling = TimeSpan.FromMilliseconds(200),
        Lag = TimeSpan.FromMilliseconds(300),
        ConnectPatience = TimeSpan.FromSeconds(5),
        SnapshotIdentifier = snapshot,
        Switch = mode,
        Accepted = AcceptedWrites.Parse(accepted),
        Moved = environment => Moves.Enqueue(environment.DisplayName),
        Reach = (host, port) => Lead(host) is { } to ? (to.Host, to.Port) : (host, port),
    }.Validated();

    public async Task<SnapshotFacts> SnapshotAsync(RdsApi? rds = null, bool anew = false, RunContext? run = null, RdsOptions? options = null, CancellationToken cancellation = default) =>
        await new SnapshotStep(run ?? Run, rds ?? Moto.Api(), options ?? Options()).RunAsync(Environment, await DatabaseInspector.ReadAsync(Real, CancellationToken.None), Dump, "tree", anew, cancellation);

    /// <summary>The rollback, from a machine that has the dump, or not.</summary>
    public Task<SnapshotRollbackResult> RollBackAsync(RdsOptions options, RdsApi? rds = null, RunContext? run = null, bool hasDump = true, Func<RunningMigration?>? running = null, CancellationToken cancellation = default)
    {
        run ??= NewRun();
        return new SnapshotRollback(run, rds ?? Moto.Api(), options, new BackupCatalog(hasDump ? Path.GetDirectoryName(Dump.Folder)! : Path.Combine(run.Root, "none"), run))
        {
            Running = running is null ? null : (_, _) => Task.FromResult(running()),
            Fit = (_, revisions, _) =>
            {
                Fitted.Enqueue(string.Join('+', revisions));
                return Task.CompletedTask;
            },
        }.RunAsync(Environment, cancellation);
    }

    /// <summary>Somebody works with what was restored.</summary>
    public Task SqlOnRestoredAsync(string sql) => RealServer.SqlAsync(RestoredEnvironment, sql);

    public Task SqlAsync(string sql) => RealServer.SqlAsync(Real, sql);

    public async Task<RdsInstance?> FindAsync(string name) => await Moto.Api().FindInstanceAsync(name, CancellationToken.None);

    /// <summary>Every instance of this scenario, by name.</summary>
    public async Task<IReadOnlyList<RdsInstance>> InstancesAsync() =>
        [.. (await Moto.Api().ListInstancesAsync(CancellationToken.None)).Where(instance => instance.Identifier.StartsWith(Instance, StringComparison.Ordinal)).OrderBy(instance => instance.Identifier, StringComparer.Ordinal)];

    private PostgresUrl? Lead(string host)
    {
        var name = host.Split('.')[0];
        var bearer = Moto.Api().FindInstanceAsync(name, CancellationToken.None).GetAwaiter().GetResult();
        return bearer is null ? null : bearer.Tags.ContainsKey(RestoreTags.RestoreOf) ? Restored : Real.Database;
    }

    private sealed class Lines : ILogEventSink
    {
        public ConcurrentQueue<string> All { get; } = new();

        public void Emit(LogEvent logEvent) => All.Enqueue($"{logEvent.Level}: {logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture)}");
    }
}
