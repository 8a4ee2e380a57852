using System.Security.Cryptography;
using System.Text.Json;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Restores;

namespace Aragora.Runbook.Tests.Gates;

/// <summary>A checkout with the records that tick the boxes, and the gate that reads them.</summary>
public sealed class GateBench
{
    public const string Tree = "0123456789abcdef0123456789abcdef";

    public static readonly DatabaseFacts Production = new(new DatabaseIdentity("7000000000000000001", 1, 16384, "aragora", "db:5432"), ["r9"], "700");

    public static readonly DatabaseFacts Staging = new(new DatabaseIdentity("7000000000000000002", 1, 16384, "aragora", "st:5432"), ["r10"], "800");

    public static readonly Revision Pending = new("r10", ["r9"], "add a column", "versions/r10.py", HasDowngrade: true, DowngradeDestroys: null);

    private readonly RunContext run;

    public GateBench(RunContext? run = null) => this.run = run ?? RealServer.NewRun();

    public string Root => run.Root;

    public RunContext Run(byte[]? key = null) => run with { Evidence = Store(key) };

    public static GateSubject Subject { get; } = new(Production, Staging, "r10", Tree) { Pending = [Pending] };

    /// <summary>The gate, to which everything was said that only a person can say.</summary>
    public ProductionGate Gate(byte[]? key = null, GateOptions? options = null) => new(Run(key), options ?? Attested);

    public static GateOptions Attested { get; } = new() { Attested = Enum.GetValues<AttestableBox>().ToHashSet() };

    public EvidenceStore Store(byte[]? key = null) => new(Path.Combine(Root, "runs", "this"), [Path.Combine(Root, "runs")], run.Secrets, key);

    public BoxState Look(GateBox box, GateOptions? options = null, GateSubject? subject = null) => Gate(options: options).Look(subject ?? Subject).Single(state => state.Box == box);

    public async Task TickAllAsync(string? except = null, byte[]? key = null, EvidenceStore? store = null)
    {
        await (store ?? Store(key)).WriteAsync(Verification(await WriteBackupAsync()), CancellationToken.None);
        await TickStagingAsync(except, key, store);
    }

    public async Task TickStagingAsync(string? except = null, byte[]? key = null, EvidenceStore? store = null)
    {
        store ??= Store(key);
        await store.WriteAsync(Record(EvidenceKinds.Migration, TargetEnvironment.Staging, Staging, new MigrationFacts(MigrationDirection.Upgrade, ["r9"], ["r10"], ["r10"], "local", Moved: true)), CancellationToken.None);
        foreach (var kind in new[] { EvidenceKinds.SmokeTest, EvidenceKinds.HealthCheck }.Where(kind => kind != except && except != "both"))
        {
            await store.WriteAsync(Record(kind, TargetEnvironment.Staging, Staging, new { }), CancellationToken.None);
        }
    }

    public async Task<string> WriteBackupAsync(string walPosition = "0/1")
    {
        var folder = Path.Combine("artifacts", "backups", "b1");
        Directory.CreateDirectory(Path.Combine(Root, folder));
        await File.WriteAllTextAsync(Path.Combine(Root, folder, "toc.dat"), "toc");
        File.Delete(Path.Combine(Root, folder, "manifest.json"));
        await ManifestFile.WriteAsync(Path.Combine(Root, folder), Manifest with { WalPosition = walPosition }, CancellationToken.None);
        return folder;
    }

    public static BackupManifest Manifest { get; } = new()
    {
        Environment = TargetEnvironment.Production,
        Database = Production.Identity,
        Revisions = Production.Revisions,
        RevisionStamp = Production.RevisionStamp,
        DatabaseBytes = 1,
        ServerVersion = "15.1",
        ClientVersion = "15.1",
        PgDumpArguments = [],
        MadeAt = DateTimeOffset.UnixEpoch,
        Took = TimeSpan.Zero,
        Jobs = 1,
        CompressionLevel = 1,
        Tables = 0,
        ArchiveEntries = 0,
        Files = [new BackupFile("toc.dat", 3, Convert.ToHexStringLower(SHA256.HashData("toc"u8)))],
        TotalBytes = 3,
        RunId = "r",
        Who = "tests@here",
        SnapshotId = "00000003-1",
        SnapshotTakenAt = DateTimeOffset.UnixEpoch,
        Shape = new SourceShape { ServerMajor = 15, Encoding = "UTF8", Collate = "C", Ctype = "C" },
        Writes = new WriteCounters { Tables = new Dictionary<uint, TableWrites>() },
        Digest = new ContentDigest
        {
            Method = DigestMethod.Text,
            ServerMajor = 15,
            Tables = new Dictionary<string, RowsDigest>(StringComparer.Ordinal),
            Sequences = new Dictionary<string, SequenceRange>(StringComparer.Ordinal),
            LargeObjects = new RowsDigest(0, "0"),
            Catalogue = [],
        },
    };

    public Evidence Verification(string folder, bool restored = true) => Record(
        EvidenceKinds.BackupVerification,
        TargetEnvironment.Production,
        Production,
        new VerificationFacts(folder, ManifestFile.Read(Path.Combine(Root, folder)).ManifestSha256, 1, 2, 3, TimeProvider.System.GetUtcNow(), RestoreTook: restored ? TimeSpan.FromSeconds(40) : null));

    public static Evidence Record(string kind, TargetEnvironment environment, DatabaseFacts database, object facts) => new()
    {
        Kind = kind,
        RunId = "r",
        Environment = environment,
        Database = database.Identity,
        Revisions = database.Revisions,
        RevisionStamp = database.RevisionStamp,
        TreeHash = Tree,
        Who = "tests@here",
        MadeAt = TimeProvider.System.GetUtcNow(),
        ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1),
        Facts = JsonSerializer.SerializeToElement(facts, facts.GetType(), RunbookJson.Line),
    };
}
