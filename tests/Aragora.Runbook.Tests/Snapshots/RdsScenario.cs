using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Snapshots;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Rollbacks;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>Production: an instance in moto, and a real database that stands for what is in it. Where an instance's made-up host name leads is up to the test.</summary>
internal sealed class RdsScenario
{
    private readonly Lines lines = new();
    private readonly DatabaseEnvironment real;

    private RdsScenario(MotoServer moto, string instance, DatabaseEnvironment real)
    {
        (Moto, Instance, this.real) = (moto, instance, real);
        Environment = real with { Database = real.Database with { Host = MotoServer.AddressOf(instance), Port = 5433 } };
        Run = NewRun();
        Leads[MotoServer.AddressOf(instance)] = real.Database;
    }

    public MotoServer Moto { get; }

    public string Instance { get; }

    /// <summary>Production, by the made-up endpoint.</summary>
    public DatabaseEnvironment Environment { get; }

    /// <summary>Where endpoints lead; a name that is not here leads to what the instance's name led to when it was new.</summary>
    public ConcurrentDictionary<string, PostgresUrl> Leads { get; } = new(StringComparer.Ordinal);

    public RunContext Run { get; }

    public IReadOnlyList<string> Log => [.. lines.All];

    /// <summary>A shop in a database of a plain role, and an instance.</summary>
    public static async Task<RdsScenario> NewAsync(RealServer server, MotoServer moto, params (string Name, string Value)[] settings)
    {
        var shop = await RestoreScenario.NewAsync(server);
        return new RdsScenario(moto, await moto.NewInstanceAsync(null, settings), shop.Environment) { Dump = shop.Backup };
    }

    /// <summary>The dump that was made of the shop.</summary>
    public BackupReference Dump { get; private init; } = null!;

    public RunContext NewRun() => RealServer.NewRun(new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(lines).CreateLogger());

    public RdsOptions Options(SwitchMode mode = SwitchMode.Print, string? snapshot = null, string accepted = "unknown") => new RdsOptions
    {
        InstanceIdentifier = Instance,
        Deadline = TimeSpan.FromSeconds(60),
        PollInterval = TimeSpan.FromMilliseconds(20),
        Settling = TimeSpan.FromMilliseconds(200),
        ConnectPatience = TimeSpan.FromSeconds(5),
        SnapshotIdentifier = snapshot,
        Switch = mode,
        Accepted = AcceptedWrites.Parse(accepted),
        Reach = (host, port) => Leads.TryGetValue(host, out var to) ? (to.Host, to.Port) : throw new InvalidOperationException($"nobody said where {host}:{port} leads"),
    }.Validated();

    public async Task<SnapshotFacts> SnapshotAsync(RdsApi? rds = null, bool anew = false, RunContext? run = null, RdsOptions? options = null, CancellationToken cancellation = default) =>
        await new SnapshotStep(run ?? Run, rds ?? Moto.Api(), options ?? Options()).RunAsync(Environment, await DatabaseInspector.ReadAsync(real, CancellationToken.None), Dump, "tree", anew, cancellation);

    /// <summary>The rollback, with the dumps of another run's folder.</summary>
    public SnapshotRollback Rollback(RdsOptions options, RdsApi? rds = null, RunContext? run = null, string? dumps = null) =>
        new(run ?? Run, rds ?? Moto.Api(), options, new BackupCatalog(dumps ?? Path.GetDirectoryName(Dump.Folder)!, Run));

    public Task SqlAsync(string sql) => RealServer.SqlAsync(real, sql);

    /// <summary>The real database behind production's first endpoint.</summary>
    public DatabaseEnvironment Real => real;

    public async Task<RdsInstance?> FindAsync(string name) => await Moto.Api().FindInstanceAsync(name, CancellationToken.None);

    public async Task<IReadOnlyList<RdsInstance>> InstancesAsync() =>
        [.. (await Moto.Api().ListInstancesAsync(CancellationToken.None)).Where(instance => instance.Identifier.StartsWith(Instance, StringComparison.Ordinal)).OrderBy(instance => instance.Identifier, StringComparer.Ordinal)];

    private sealed class Lines : ILogEventSink
    {
        public ConcurrentQueue<string> All { get; } = new();

        public void Emit(LogEvent logEvent) => All.Enqueue($"{logEvent.Level}: {logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture)}");
    }
}
