using System.Diagnostics;
using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Guards;

public sealed class SingleFlightTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_second_run_on_the_same_database_is_refused_and_told_who_is_at_work()
    {
        var environment = await server.NewDatabaseAsync();
        var (first, second) = (RealServer.NewRun(), RealServer.NewRun());
        await using var lease = await new SingleFlight(first).AcquireAsync(environment, TimeSpan.Zero, None);
        await using var working = await PostgresSession.OpenAsync(environment, MigrationSessions.NamePrefix + first.RunId);

        var refusal = await Should.ThrowAsync<RefusedException>(() => new SingleFlight(second).AcquireAsync(environment, TimeSpan.Zero, None));

        refusal.Message.ShouldContain($"held by pid {lease.ProcessId} (aragora-guard-{first.RunId}, role {environment.Database.User}, from 127.0.0.1");
        refusal.Message.ShouldContain($"at work: pid {working.ProcessId} (aragora-migrate-{first.RunId}");
        refusal.Next.ShouldContain($"SELECT pg_terminate_backend({lease.ProcessId});");
        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Released_it_is_free_at_once_and_another_database_was_never_locked()
    {
        var (environment, other) = (await server.NewDatabaseAsync(), await server.NewDatabaseAsync());
        await using (await new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None))
        {
            await using var elsewhere = await new SingleFlight(RealServer.NewRun()).AcquireAsync(other, TimeSpan.Zero, None);
        }

        await using var again = await new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None);
    }

    [Fact]
    public async Task Who_may_wait_gets_it_when_the_other_is_done()
    {
        var environment = await server.NewDatabaseAsync();
        var first = await new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None);
        var waiting = new SingleFlight(RealServer.NewRun()) { PollInterval = TimeSpan.FromMilliseconds(20) }.AcquireAsync(environment, TimeSpan.FromMinutes(1), None);
        waiting.IsCompleted.ShouldBeFalse();

        await first.DisposeAsync();
        await using var second = await waiting;

        second.ProcessId.ShouldNotBe(first.ProcessId);
    }

    [Fact]
    public async Task The_lock_is_seen_from_the_other_maintenance_database_too()
    {
        var environment = await server.NewDatabaseAsync();
        await using var holder = await PostgresSession.OpenAsync(environment, "holder-elsewhere");
        await holder.ExecuteAsync("SELECT pg_advisory_lock($1)", None, SingleFlight.KeyOf(environment.Database.Database));

        var refusal = await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None));

        refusal.Message.ShouldContain("holder-elsewhere");
    }

    [Fact]
    public async Task A_killed_run_leaves_no_lock_behind()
    {
        var environment = await server.NewDatabaseAsync();
        using var holder = await HoldingChildAsync(environment);
        await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None));

        holder.Kill(); // SIGKILL
        await using var lease = await new SingleFlight(RealServer.NewRun()) { PollInterval = TimeSpan.FromMilliseconds(20) }.AcquireAsync(environment, TimeSpan.FromSeconds(30), None);

        lease.ProcessId.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Losing_the_session_cancels_what_it_guards()
    {
        var environment = await server.NewDatabaseAsync();
        await using var lease = await new SingleFlight(RealServer.NewRun()) { Heartbeat = TimeSpan.FromMilliseconds(20) }.AcquireAsync(environment, TimeSpan.Zero, None);
        var lost = new TaskCompletionSource();
        await using var registration = lease.Lost.Register(lost.SetResult);

        await RealServer.SqlAsync(environment, $"SELECT pg_terminate_backend({lease.ProcessId})");

        await lost.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("aragora-migrate-20250101T000000Z-dead")]
    [InlineData("aragora-migration")]
    public async Task A_migration_that_nobody_guards_any_more_is_a_refusal_too(string name)
    {
        var environment = await server.NewDatabaseAsync();
        await using var orphan = await PostgresSession.OpenAsync(environment, name);

        var refusal = await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()) { Settling = TimeSpan.Zero }.AcquireAsync(environment, TimeSpan.Zero, None));

        refusal.Message.ShouldContain("still at work");
        refusal.Message.ShouldContain(name);
        refusal.Next.ShouldContain($"SELECT pg_terminate_backend({orphan.ProcessId});");
    }

    [Fact]
    public async Task The_lock_is_no_obstacle_to_a_rename_of_the_database()
    {
        var environment = await server.NewDatabaseAsync();
        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None);
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests", "postgres");

        await session.ExecuteAsync($"ALTER DATABASE \"{environment.Database.Database}\" RENAME TO \"{environment.Database.Database}_old\"", None);

        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task An_empty_heartbeat_keeps_the_lock()
    {
        var environment = await server.NewDatabaseAsync();
        await using var lease = await new SingleFlight(RealServer.NewRun()) { Heartbeat = TimeSpan.FromMilliseconds(1) }.AcquireAsync(environment, TimeSpan.Zero, None);

        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        var beats = "SELECT query FROM pg_stat_activity WHERE pid = $1";
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await session.ScalarAsync<string>(beats, deadline.Token, lease.ProcessId))?.Contains("pg_locks", StringComparison.Ordinal) != true)
        {
            await Task.Delay(5, deadline.Token);
        }

        lease.Lost.IsCancellationRequested.ShouldBeFalse();
        await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, None));
    }

    /// <summary>A process of its own that holds the lock as a run would, and then does nothing.</summary>
    private async Task<Process> HoldingChildAsync(DatabaseEnvironment environment)
    {
        var start = new ProcessStartInfo(server.Server.Binaries["psql"], ["-XAtq", "-v", "ON_ERROR_STOP=1"]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in environment.Database.ToLibpqEnvironment())
        {
            start.Environment[name] = value;
        }

        start.Environment["PGPASSWORD"] = environment.Database.Password;
        start.Environment["PGDATABASE"] = "postgres";
        var child = Process.Start(start)!;
        await child.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT 'held' FROM pg_advisory_lock({SingleFlight.KeyOf(environment.Database.Database)});"));
        await child.StandardInput.FlushAsync();
        (await child.StandardOutput.ReadLineAsync()).ShouldBe("held");
        return child;
    }
}
