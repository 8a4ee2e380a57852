using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Tooling;
using Serilog;

namespace Aragora.Runbook.Migrations;

/// <summary>Runs Alembic as a child of this process.</summary>
/// <remarks>
/// A cancellation first cancels the migration's statement on the server, so that Alembic rolls back and ends by itself: a signal alone would end Alembic and leave
/// its statement running, for a server notices a lost client only when the statement is over. Then SIGTERM, then the tree is killed, then what is left of its sessions is terminated.
/// </remarks>
public sealed class LocalAlembicRunner(ICommandRunner commands, IPythonTools python, AlembicProject project, SecretMask secrets, ILogger log, TimeProvider clock) : IMigrationRunner
{
    private const int TailLines = 40;

    /// <inheritdoc/>
    public string Name => "local";

    /// <summary>How long Alembic has to roll back by itself after its statement was cancelled. Default: 5 seconds.</summary>
    public TimeSpan RollbackPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the server has to take a request to cancel or to end the migration's sessions. Default: 5 seconds.</summary>
    public TimeSpan ServerPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation)
    {
        secrets.Add(request.Environment.Database.Password);
        var alembic = await python.AlembicAsync(cancellation);
        var command = Compose(alembic, project, request);
        var sessions = new MigrationSessions(request.Environment);
        using var ending = new CancellationTokenSource();
        var running = commands.RunAsync(command, (line, _) => onLine(secrets.Apply(line)), ending.Token);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellation.Register(asked.SetResult))
        {
            await Task.WhenAny(running, asked.Task);
        }

        if (!running.IsCompleted)
        {
            await EndAsync(running, sessions, request.ApplicationName, ending);
            throw new OperationCanceledException("Alembic was ended before it was done.", cancellation);
        }

        var result = await running;
        return new RunnerResult(result.ExitCode, secrets.Apply(result.Tail(TailLines)), result.Took);
    }

    /// <summary>The command line and its environment.</summary>
    internal static Command Compose(PythonTool alembic, AlembicProject project, RunnerRequest request) => new()
    {
        Program = alembic.Interpreter,
        Arguments = ["-m", alembic.Module, "-c", project.ConfigFile, request.Direction == MigrationDirection.Upgrade ? "upgrade" : "downgrade", request.Revision],
        WorkingDirectory = project.Folder,
        Environment = AlembicVariables.For(project, request.Environment.Database, request.Budget, request.ApplicationName),
        Grace = TimeSpan.FromSeconds(5),
    };

    private async Task EndAsync(Task<CommandResult> running, MigrationSessions sessions, string applicationName, CancellationTokenSource ending)
    {
        log.Warning("Cancelling the migration's statement, so that Alembic rolls back");
        try
        {
            await TryOnServerAsync(patience => sessions.CancelAsync(applicationName, patience));
            await Task.WhenAny(running, Task.Delay(RollbackPatience, clock, CancellationToken.None));
        }
        finally
        {
            // Whatever the server answers, the child does not outlive the run.
            await ending.CancelAsync();
        }

        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            log.Warning("Alembic did not end by itself and was killed");
        }

        await TryOnServerAsync(patience => sessions.TerminateAsync(applicationName, patience));
    }

    /// <summary>Asks the server, for a while. A courtesy: nothing that goes wrong here may keep the child from being ended, so every exception is logged and goes no further.</summary>
    private async Task TryOnServerAsync(Func<CancellationToken, Task<int>> act)
    {
        using var patience = new CancellationTokenSource(ServerPatience, clock);
        try
        {
            await act(patience.Token);
        }
        catch (Exception unreachable)
        {
            // What is left on the server is told when the state is read.
            log.Warning(unreachable, "The migration's sessions could not be asked to end");
        }
    }
}
