using System.Text;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Restores;
using Shouldly;

namespace Aragora.Runbook.Tests.Backups.Forgeries;

/// <summary>A copy of a backup whose forger also mended the manifest: only the restore and the digest can tell. Restored on the tests' own server, for speed; VerifyBackupStep does the same on one of its own.</summary>
internal sealed class ForgedBackup
{
    private readonly RealServer server;
    private readonly RunContext run = RealServer.NewRun();
    private readonly DatabaseEnvironment source;

    public ForgedBackup(RealServer server, DatabaseEnvironment source, BackupReference backup)
    {
        (this.server, this.source) = (server, source);
        Folder = BackupScenario.Copy(backup, run);
    }

    public string Folder { get; }

    public RunContext Run => run;

    public string FileOf(string kind) => kind switch
    {
        "table" => BackupScenario.LargestTable(Folder),
        "large object" => Directory.EnumerateFiles(Folder, "blob_*").First(),
        "large objects' list" => Directory.EnumerateFiles(Folder, "blobs*.toc").Single(),
        "toc" => Path.Combine(Folder, "toc.dat"),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public void Edit(string kind, Func<byte[], byte[]> change) => File.WriteAllBytes(FileOf(kind), change(File.ReadAllBytes(FileOf(kind))));

    /// <summary>Puts other words of the same length into a file that is not compressed.</summary>
    public void Replace(string file, string old, string other)
    {
        var path = Path.Combine(Folder, file);
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
        var (from, to) = (Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(old)), Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(other)));
        to.Length.ShouldBe(from.Length, "another length would only break the file");
        text.ShouldContain(from);
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text.Replace(from, to, StringComparison.Ordinal)));
    }

    /// <summary>What a verification finds once the manifest's hashes are mended. Where it finds nothing, the content really is the source's: another dump of both says so.</summary>
    public async Task<IReadOnlyList<string>> JudgeAsync(Func<BackupManifest, BackupManifest>? change = null)
    {
        BackupScenario.FixHashes(Folder, change);
        var backup = ManifestFile.Read(Folder);
        var clients = await PostgresClients.FindAllAsync(BackupScenario.Commands, null, CancellationToken.None);
        var client = PostgresClients.Choose(clients, backup.Manifest.ClientMajor(), "tests");
        var contents = await new ArchiveReader(client, BackupScenario.Commands).ListAsync(Folder, CancellationToken.None);
        if (contents.Complaint is { } complaint)
        {
            return [complaint];
        }

        var copy = await server.NewDatabaseAsync();
        try
        {
            var restored = await new ArchiveRestore(run, client, BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(backup, copy, 1, CancellationToken.None);
            var differences = await RestoredContent.CompareAsync(copy, backup.Manifest, 1, withDatabase: false, CancellationToken.None);
            List<string> found = [.. restored.Complaints, .. restored.ExitCode == 0 ? [] : (string[])[$"exit code {restored.ExitCode}"], .. differences.Select(difference => difference.ToString())];
            if (found.Count == 0 && change is null)
            {
                (await PlainDumpAsync(client, copy)).ShouldBe(await PlainDumpAsync(client, source), $"{Folder} was not found damaged");
            }

            return found;
        }
        finally
        {
            await server.DropDatabaseAsync(copy);
        }
    }

    private static async Task<string> PlainDumpAsync(PostgresClient client, DatabaseEnvironment environment)
    {
        using var password = PasswordFile.For(environment.Database);
        var dump = await BackupScenario.Commands.RunAsync(new Command
        {
            Program = client["pg_dump"],
            Arguments = ["--format=plain", "--no-password", $"--dbname={ClientEnvironment.DatabaseArgument(environment.Database)}"],
            Environment = ClientEnvironment.For(environment.Database, password, "aragora-tests"),
        });
        dump.Error.ShouldBe("");

        // Newer ones fence their output with a random word.
        return string.Join('\n', dump.Output.Split('\n').Where(line => !line.StartsWith("\\restrict", StringComparison.Ordinal) && !line.StartsWith("\\unrestrict", StringComparison.Ordinal)));
    }
}

/// <summary>A small database with one of everything that can be forged, backed up once compressed and once not.</summary>
public sealed class ForgeableBackup(RealServer server) : Xunit.IAsyncLifetime
{
    internal const string Content =
        """
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('0010');
        CREATE TYPE mood AS ENUM ('bad', 'fat', 'sad');
        CREATE TYPE span AS (low int, top int);
        CREATE SEQUENCE counter;
        SELECT setval('counter', 4711);
        CREATE TABLE accounts (id int PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) DEFAULT 100 CONSTRAINT not_in_debt CHECK (balance >= 0), mood mood);
        CREATE TABLE archived_accounts (LIKE accounts INCLUDING ALL);
        CREATE TABLE payments (id int PRIMARY KEY, account int REFERENCES accounts (id), amount int);
        INSERT INTO accounts SELECT i, 'owner ' || i, i, 'sad' FROM generate_series(1, 300) i;
        INSERT INTO archived_accounts SELECT i, 'owner ' || i, i + 1, 'sad' FROM generate_series(1, 300) i;
        INSERT INTO payments SELECT i, i, 1000 + i FROM generate_series(1, 200) i;
        CREATE INDEX payments_amount ON payments (amount);
        CREATE VIEW rich AS SELECT id FROM accounts WHERE balance > 250;
        CREATE FUNCTION fee(amount int) RETURNS int LANGUAGE sql AS 'SELECT amount / 50';
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER no_delete BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION refuse();
        COMMENT ON TABLE accounts IS 'never delete';
        GRANT SELECT ON payments TO PUBLIC;
        SELECT lo_from_bytea(7001, decode(repeat('ab', 3000), 'hex')), lo_from_bytea(7002, '\x01');
        """;

    private readonly RunContext run = RealServer.NewRun();

    internal DatabaseEnvironment Source { get; private set; } = null!;

    internal BackupReference Compressed { get; private set; } = null!;

    internal BackupReference Plain { get; private set; } = null!;

    /// <summary>Of another database, of the same name and the same schema, with other rows.</summary>
    internal BackupReference Sister { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(Source, Content);
        await RealServer.SqlAsync(Source, "UPDATE accounts SET balance = 999 WHERE id = 7");
        Sister = (await BackupScenario.BackUpAsync(run, Source)).Backup;
        var administration = Source with { Database = server.Server.Url };
        await RealServer.SqlAsync(administration, $"ALTER DATABASE \"{Source.Database.Database}\" RENAME TO \"{Source.Database.Database}_sister\"");
        await server.NewDatabaseAsync(databaseName: Source.Database.Database);
        await RealServer.SqlAsync(Source, Content);
        Compressed = (await BackupScenario.BackUpAsync(run, Source)).Backup;
        Plain = (await BackupScenario.BackUpAsync(run, Source, new BackupOptions { Jobs = 1, CompressionLevel = 0 })).Backup;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(run.Root, recursive: true);
        return ValueTask.CompletedTask;
    }

    internal ForgedBackup Copy(bool compressed) => new(server, Source, compressed ? Compressed : Plain);

    internal RunContext Run => run;
}
