using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Tooling;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class LocalAlembicRunnerTests
{
    private static readonly DatabaseEnvironment Environment = new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u:pw-of-u@127.0.0.1/d", "test") };

    [Fact]
    public async Task A_server_that_cannot_be_asked_for_an_unexpected_reason_does_not_keep_the_child_alive()
    {
        var child = new EndlessChild();

        // No URL of ours has port 0: Npgsql throws an ArgumentException there.
        await EndedAsync(child, Environment with { Database = Environment.Database with { Port = 0 } });

        child.WasEnded.ShouldBeTrue();
    }

    private static async Task EndedAsync(EndlessChild child, DatabaseEnvironment environment)
    {
        var run = RealServer.NewRun();
        var runner = new LocalAlembicRunner(child, new NoPython(), new AlembicProject { ConfigFile = "/tree/alembic.ini" }, run.Secrets, run.Log, TimeProvider.System)
        {
            RollbackPatience = TimeSpan.Zero,
            ServerPatience = TimeSpan.FromMilliseconds(100),
        };
        using var cancel = new CancellationTokenSource();
        var running = runner.RunAsync(new RunnerRequest(environment, MigrationDirection.Upgrade, "r1000", new LockBudget(), "aragora-migrate-test"), _ => { }, cancel.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    /// <summary>A child that ends only when it is told to.</summary>
    private sealed class EndlessChild : ICommandRunner
    {
        public bool WasEnded { get; private set; }

        public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
            }
            finally
            {
                WasEnded = true;
            }

            throw new InvalidOperationException("It never ends by itself.");
        }
    }

    private sealed class NoPython : IPythonTools
    {
        public Task<PythonTool> AlembicAsync(CancellationToken cancellation) => Task.FromResult(new PythonTool("/nonexistent/python", "alembic", "1.13", "psycopg2", "test"));

        public Task<PythonTool> PytestAsync(CancellationToken cancellation) => throw new NotSupportedException();
    }
}
