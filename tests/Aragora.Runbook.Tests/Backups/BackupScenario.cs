using System.Security.Cryptography;
using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Tests.Backups;

/// <summary>What the tests of this folder share: a database with a bit of everything, and short forms of the two steps.</summary>
internal static class BackupScenario
{
    public const string Content =
        """
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('0010');
        CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, extra jsonb);
        INSERT INTO users (name, extra) SELECT md5(i::text), jsonb_build_object('n', i) FROM generate_series(1, 20000) i;
        CREATE TABLE empty_one (i int);
        CREATE SCHEMA "DATA";
        CREATE TABLE "DATA".users (i int);
        CREATE TABLE "odd ""name"" with ' and
        newline" ("a b" int, "ü" text);
        INSERT INTO "odd ""name"" with ' and
        newline" VALUES (1, E'\\.\n');
        CREATE TABLE parts (k int, t text) PARTITION BY LIST (k);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
        CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
        INSERT INTO parts VALUES (1, 'one'), (2, 'two');
        SELECT lo_from_bytea(0, decode(string_agg(md5(i::text), ''), 'hex')) FROM generate_series(1, 3000) i;
        """;

    public static ICommandRunner Commands { get; } = new CommandRunner(TimeProvider.System);

    public static async Task<DatabaseEnvironment> NewFilledAsync(RealServer server, string? databaseName = null)
    {
        var environment = await server.NewDatabaseAsync(databaseName: databaseName);
        await RealServer.SqlAsync(environment, Content);
        return environment;
    }

    public static Task<MadeBackup> BackUpAsync(RunContext run, DatabaseEnvironment environment, BackupOptions? options = null, IProgressView? progress = null, ICommandRunner? commands = null, CancellationToken cancellation = default) =>
        new BackupStep(run, environment, options ?? new BackupOptions { Jobs = 2 }, commands ?? Commands, progress ?? new SilentProgress()).RunAsync(cancellation);

    public static Task<VerifiedBackup> VerifyAsync(RunContext run, DatabaseEnvironment environment, BackupReference backup) =>
        new VerifyBackupStep(run, environment, new BackupOptions { Jobs = 2 }, Scratch(run), Commands, new SilentProgress()).RunAsync(backup, CancellationToken.None);

    /// <param name="run">The run.</param>
    /// <param name="programs">Those of the scratch server; null for what the machine has.</param>
    public static ScratchDatabases Scratch(RunContext run, ServerBinaries? programs = null) => new(run, ScratchServers(run, programs), Commands);

    /// <summary>Scratch databases on the source's own server: quick, for tests about something else. The environment's role has to be a superuser.</summary>
    public static ScratchDatabases ScratchBeside(RunContext run, DatabaseEnvironment environment) => ScratchAt(run, environment.Database);

    /// <summary>Scratch databases on a server that is there, the source's own or another one.</summary>
    public static ScratchDatabases ScratchAt(RunContext run, PostgresUrl server) => new(
        run,
        ScratchServers(run),
        Commands,
        new NamedScratchServer(run, server with { Database = "postgres" }, _ => Task.FromResult<IReadOnlyList<DatabaseEnvironment>>([])) { MayBeSource = true });

    private static ScratchServers ScratchServers(RunContext run, ServerBinaries? programs = null)
    {
        var provider = programs is null ? new ServerBinaryProvider(run, Commands) : new ServerBinaryProvider(run, Commands) { FindAllAsync = _ => Task.FromResult<IReadOnlyList<ServerBinaries>>([programs]) };
        return new ScratchServers(run, new ServerProvider(run, Commands, provider), Path.Combine(Path.GetTempPath(), $"aragora-tests-scratch-{Environment.UserName}"));
    }

    /// <summary>A copy of a backup in a run of its own, to be damaged; there is no evidence of its dump.</summary>
    public static string Copy(BackupReference backup, RunContext run)
    {
        var copy = Path.Combine(run.Root, "artifacts", "backups", backup.Name);
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(backup.Folder))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        return copy;
    }

    /// <summary>Writes the manifest anew, with the sizes and hashes of what is in the folder now: a forger's work.</summary>
    public static void FixHashes(string folder, Func<BackupManifest, BackupManifest>? change = null)
    {
        var manifest = ManifestFile.Read(folder).Manifest;
        var files = Directory.EnumerateFiles(folder).Where(path => Path.GetFileName(path) != ManifestFile.Name)
            .Select(path => new BackupFile(Path.GetFileName(path), new FileInfo(path).Length, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))))).ToList();
        manifest = manifest with { Files = files, TotalBytes = files.Sum(file => file.Bytes) };
        WriteManifest(folder, (change ?? (same => same))(manifest));
    }

    public static void WriteManifest(string folder, BackupManifest manifest) =>
        File.WriteAllText(Path.Combine(folder, ManifestFile.Name), JsonSerializer.Serialize(manifest, RunbookJson.Document));

    /// <summary>The largest file of a table's rows.</summary>
    public static string LargestTable(string folder) =>
        Directory.EnumerateFiles(folder, "*.dat*").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])).MaxBy(path => new FileInfo(path).Length)!;

    public static void Flip(string path, long at)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[at] ^= 0x10;
        File.WriteAllBytes(path, bytes);
    }

    public static IReadOnlyList<string> BackupsIn(RunContext run)
    {
        var folder = Path.Combine(run.Root, "artifacts", "backups");
        return Directory.Exists(folder) ? [.. Directory.EnumerateFileSystemEntries(folder)] : [];
    }

    public sealed class SilentProgress : IProgressView
    {
        public void Report(ProgressSnapshot moment)
        {
        }

        public void Close()
        {
        }
    }
}

/// <summary>One whole backup of one filled database, for all tests that only read or copy it.</summary>
public sealed class SharedBackup(RealServer server) : Xunit.IAsyncLifetime
{
    internal DatabaseEnvironment Environment { get; private set; } = null!;

    internal RunContext Run { get; } = RealServer.NewRun();

    internal MadeBackup Made { get; private set; } = null!;

    internal MadeBackup Uncompressed { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Environment = await BackupScenario.NewFilledAsync(server);
        Made = await BackupScenario.BackUpAsync(Run, Environment);
        Uncompressed = await BackupScenario.BackUpAsync(Run, Environment, new BackupOptions { Jobs = 1, CompressionLevel = 0 });
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Run.Root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
