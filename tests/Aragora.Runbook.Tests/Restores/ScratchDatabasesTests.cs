using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Backups;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

public sealed class ScratchDatabasesTests(RealServer server) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly RunContext run = RealServer.NewRun();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_is_encoded_and_sorted_like_the_source_and_is_erased_at_the_end()
    {
        var source = await NewAsync("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        await using (var scratch = await CreateAsync(await ShapeAsync(source)))
        {
            (await OneAsync(scratch.Environment, "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()")).ShouldBe("LATIN1 C C");
        }

        Directory.EnumerateFileSystemEntries(folder["scratch"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task Icu_and_its_locale_come_along()
    {
        var source = await NewAsync("LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'");
        await using var scratch = await CreateAsync(await ShapeAsync(source));
        const string Locale = "SELECT datlocprovider::text || ' ' || coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') FROM pg_database d WHERE datname = current_database()";
        (await OneAsync(scratch.Environment, Locale)).ShouldBe("i sv-SE");
        (await OneAsync(scratch.Environment, "SELECT string_agg(c, '' ORDER BY c) FROM unnest(ARRAY['ä', 'z', 'a']) c")).ShouldBe("azä");
    }

    [Fact]
    public async Task A_locale_that_this_machine_lacks_is_made_for_the_server_alone()
    {
        Assert.SkipUnless(File.Exists("/usr/share/i18n/SUPPORTED"), "this machine has no sources of locales");
        var shape = Plain() with { Collate = "de_DE.UTF-8", Ctype = "de_DE.UTF-8", Collations = [new SourceCollation("sv_SE.utf8", true, "libc", "sv_SE.utf8", "sv_SE.utf8", null)] };
        await using var scratch = await CreateAsync(shape);
        (await OneAsync(scratch.Environment, "SELECT string_agg(c, '' ORDER BY c) FROM unnest(ARRAY['ä', 'z', 'a']) c")).ShouldBe("aäz");
        (await OneAsync(scratch.Environment, "SELECT string_agg(c, '' ORDER BY c COLLATE \"sv_SE.utf8\") FROM unnest(ARRAY['ä', 'z', 'a']) c")).ShouldBe("azä");
    }

    [Fact]
    public async Task A_locale_that_nobody_knows_is_refused_by_name_and_never_replaced()
    {
        var refused = await Should.ThrowAsync<RefusedException>(() => CreateAsync(Plain() with { Collate = "English_United States.1252" }));
        refused.Message.ShouldContain("English_United States.1252");
        refused.Next.ShouldContain("--scratch-server-url");
        Directory.Exists(folder["scratch"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("vector", "0.8.0", "postgresql-15-pgvector", "vector is not installed")]
    [InlineData("hstore", "99.0", "postgresql-contrib", "hstore is there in 1.4")]
    public async Task A_missing_extension_or_version_is_refused_with_its_package(string name, string version, string package, string why)
    {
        var shape = Plain();
        var refused = await Should.ThrowAsync<RefusedException>(() => CreateAsync(shape with { ServerMajor = shape.ServerMajor, Extensions = [new SourceExtension(name, version, "public", 2200, "x")] }));
        refused.What.ShouldContain($"{name} {version}");
        refused.Why.ShouldContain(why);
        refused.Next.ShouldContain(package.Replace("15", $"{shape.ServerMajor}", StringComparison.Ordinal));
        Directory.EnumerateFileSystemEntries(folder["scratch"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_extension_in_an_older_version_comes_back_in_that_version()
    {
        var source = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(source, "CREATE SCHEMA ext; CREATE EXTENSION hstore WITH SCHEMA ext VERSION '1.4'; CREATE EXTENSION citext; CREATE TABLE t (h ext.hstore, c citext); INSERT INTO t VALUES ('a=>1', 'X')");
        await VerifyAsync(source);
    }

    [Fact]
    public async Task Tablespaces_are_not_needed()
    {
        var source = await server.NewDatabaseAsync();
        var name = $"space_{Guid.NewGuid():N}";
        await using (var session = await PostgresSession.OpenAsync(source, "aragora-tests", settings: new Dictionary<string, string>(StringComparer.Ordinal) { ["allow_in_place_tablespaces"] = "on" }))
        {
            await session.ExecuteAsync($"CREATE TABLESPACE {name} LOCATION ''", CancellationToken.None);
        }

        try
        {
            await RealServer.SqlAsync(source, $"CREATE TABLE t (i int PRIMARY KEY USING INDEX TABLESPACE {name}) TABLESPACE {name}; INSERT INTO t VALUES (1); CREATE INDEX ON t (i) TABLESPACE {name}");
            await VerifyAsync(source);
        }
        finally
        {
            await RealServer.SqlAsync(source, "DROP TABLE IF EXISTS t");
            await RealServer.SqlAsync(source, $"DROP TABLESPACE IF EXISTS {name}");
        }
    }

    [Fact]
    public async Task Too_little_disk_is_refused_before_anything_starts()
    {
        var refused = await Should.ThrowAsync<RefusedException>(() => New(free: 1_100_000).CreateAsync("verify", Plain(), 1_000_000, TargetEnvironment.Production, CancellationToken.None));
        refused.What.ShouldContain("1.2 MB needed, 1.1 MB free");
        Directory.Exists(folder["scratch"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Several_at_once_are_apart()
    {
        var shape = Plain();
        await using var first = await CreateAsync(shape);
        await using var second = await CreateAsync(shape);
        await RealServer.SqlAsync(first.Environment, "CREATE TABLE only_here (i int)");
        (await OneAsync(second.Environment, "SELECT coalesce(to_regclass('only_here')::text, 'not here')")).ShouldBe("not here");
    }

    private SourceShape Plain() => new() { ServerMajor = server.Server.Binaries.Major, Encoding = "UTF8", Collate = "C", Ctype = "C" };

    private async Task<DatabaseEnvironment> NewAsync(string how)
    {
        var name = $"t_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server.Server.Url }, $"CREATE DATABASE {name} TEMPLATE template0 {how}");
        return new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server.Server.Url with { Database = name } };
    }

    private static async Task<SourceShape> ShapeAsync(DatabaseEnvironment source)
    {
        await using var session = await PostgresSession.OpenAsync(source, "aragora-tests");
        return await SourceShape.ReadAsync(session, CancellationToken.None);
    }

    private Task<ScratchDatabase> CreateAsync(SourceShape shape) => New().CreateAsync("verify", shape, 0, TargetEnvironment.Production, CancellationToken.None);

    private ScratchDatabases New(long? free = null)
    {
        var servers = new ScratchServers(run, new ServerProvider(run, BackupScenario.Commands, new ServerBinaryProvider(run, BackupScenario.Commands)), folder["scratch"]);
        return free is null ? new ScratchDatabases(run, servers, BackupScenario.Commands) : new ScratchDatabases(run, servers, BackupScenario.Commands) { FreeBytes = _ => free.Value };
    }

    private async Task<VerifiedBackup> VerifyAsync(DatabaseEnvironment source)
    {
        var made = await BackupScenario.BackUpAsync(run, source);
        return await new VerifyBackupStep(run, source, new BackupOptions { Jobs = 2 }, New(), BackupScenario.Commands, new BackupScenario.SilentProgress()).RunAsync(made.Backup, CancellationToken.None);
    }

    private static async Task<string?> OneAsync(DatabaseEnvironment environment, string sql)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        return await session.ScalarAsync<string>(sql, CancellationToken.None);
    }
}
