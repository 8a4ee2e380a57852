using Aragora.Runbook.Preflight;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Preflight.PreflightBench;

namespace Aragora.Runbook.Tests.Preflight;

public sealed class ActivityChecksTests(RealServer server)
{
    [Fact]
    public async Task A_long_transaction_is_told_with_who_and_what_but_not_with_its_data()
    {
        var environment = await server.NewDatabaseAsync();
        (await AskAsync(ActivityChecks.LongTransactions, environment)).ShouldBeOfType<Finding.Ok>();
        await using var other = await OpenAsync(environment, "report\n::error::x");
        await other.ExecuteAsync("BEGIN", CancellationToken.None);
        await other.ExecuteAsync("SELECT 'personal data', $$more data$$", CancellationToken.None);

        var warning = (await AskAsync(ActivityChecks.LongTransactions, environment, Options with { LongTransaction = TimeSpan.Zero })).ShouldBeOfType<Finding.Warning>();

        warning.Text.ShouldContain($"session {other.ProcessId} ({environment.Database.User}, report");
        warning.Text.ShouldContain("idle in transaction: SELECT '…', '…'");
        warning.Text.ShouldNotContain("personal");
        warning.Text.Split('\n').ShouldAllBe(line => !line.StartsWith("::", StringComparison.Ordinal));
        warning.Next.ShouldContain($"pg_terminate_backend({other.ProcessId})");
        (await AskAsync(ActivityChecks.LongTransactions, environment)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task What_a_role_may_not_see_is_said()
    {
        var environment = await server.NewDatabaseAsync();
        var limited = await AsNewRoleAsync(environment);
        await using var other = await OpenAsync(environment);

        var warning = (await AskAsync(ActivityChecks.LongTransactions, limited)).ShouldBeOfType<Finding.Warning>();

        warning.Text.ShouldContain("1 session of other roles cannot be seen");
        warning.Next.ShouldBe($"GRANT pg_monitor TO \"{limited.Database.User}\"");
    }

    [Fact]
    public async Task A_prepared_transaction_is_a_warning_and_an_old_one_a_refusal_that_its_own_command_mends()
    {
        var environment = await server.NewDatabaseAsync();
        (await AskAsync(ActivityChecks.Prepared, environment)).ShouldBeOfType<Finding.Ok>();
        var gid = $"it's {Guid.NewGuid():N}";
        await using (var other = await OpenAsync(environment))
        {
            await other.ExecuteAsync("BEGIN", CancellationToken.None);
            await other.ExecuteAsync("CREATE TABLE t ()", CancellationToken.None);
            await other.ExecuteAsync($"PREPARE TRANSACTION '{gid.Replace("'", "''", StringComparison.Ordinal)}'", CancellationToken.None);
        }

        (await AskAsync(ActivityChecks.Prepared, environment)).ShouldBeOfType<Finding.Warning>();
        var refusal = (await AskAsync(ActivityChecks.Prepared, environment, Options with { LongTransaction = TimeSpan.Zero })).ShouldBeOfType<Finding.Refusal>();
        refusal.Text.ShouldContain(gid);

        await RealServer.SqlAsync(environment, "ROLLBACK PREPARED" + refusal.Next.Split("ROLLBACK PREPARED")[1]);
        (await AskAsync(ActivityChecks.Prepared, environment)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task A_table_that_nobody_can_read_is_a_refusal_that_names_the_session()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE users ()");
        (await AskAsync(ActivityChecks.Blockers, environment)).ShouldBeOfType<Finding.Ok>();
        await using var other = await OpenAsync(environment);
        await other.ExecuteAsync("BEGIN", CancellationToken.None);
        await other.ExecuteAsync("LOCK TABLE users", CancellationToken.None);

        var refusal = (await AskAsync(ActivityChecks.Blockers, environment)).ShouldBeOfType<Finding.Refusal>();

        refusal.Text.ShouldContain($"public.users: locked by session {other.ProcessId}");
        refusal.Text.ShouldContain("LOCK TABLE users");
        refusal.Next.ShouldContain("./build.sh Preflight");
    }

    [Fact]
    public async Task A_queue_for_a_lock_is_a_warning_that_says_who_waits_behind_whom()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE users ()");
        await using var holder = await OpenAsync(environment);
        await holder.ExecuteAsync("BEGIN", CancellationToken.None);
        await holder.ExecuteAsync("LOCK TABLE users IN SHARE MODE", CancellationToken.None);
        await using var waiter = await OpenAsync(environment);
        var waiting = waiter.ExecuteAsync("INSERT INTO users DEFAULT VALUES", CancellationToken.None);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Finding finding;
        do
        {
            finding = await AskAsync(ActivityChecks.Blockers, environment);
            deadline.Token.ThrowIfCancellationRequested();
        }
        while (finding is Finding.Ok);

        finding.ShouldBeOfType<Finding.Warning>().Text.ShouldContain($"session {waiter.ProcessId} waits for public.users (RowExclusiveLock) behind {holder.ProcessId}");
        await holder.ExecuteAsync("ROLLBACK", CancellationToken.None);
        await waiting;
    }
}
