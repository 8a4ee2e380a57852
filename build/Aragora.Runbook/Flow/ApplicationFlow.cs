using Aragora.Runbook.Applications;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Rollbacks;
using Npgsql;

namespace Aragora.Runbook.Flow;

/// <summary>StartApplication, and what every rollback does first: puts back what a run that died left stopped.</summary>
public sealed class ApplicationFlow(RunContext run, RunbookOptions options, RunbookEnvironments environments, Func<DatabaseEnvironment, ApplicationControl> applications)
{
    /// <summary>Puts it back, and waits until it is ready.</summary>
    public async Task<StepFact> StartAsync(CancellationToken cancellation)
    {
        if (options.TargetEnvironment is null && !environments.IsLocalStack)
        {
            throw new BadInputException("StartApplication wants its environment said.", "on anything but the local stack none is assumed", "./build.sh StartApplication --target-environment Production");
        }

        var environment = await environments.GetAsync(options.TargetEnvironment ?? TargetEnvironment.Production, cancellation);
        var application = applications(environment);
        if (!application.IsNamed)
        {
            throw new BadInputException(
                $"No application of {environment.DisplayName} is named.",
                environment.IsLocalStack ? "the local stack has none that is stopped" : "only what is named is looked at",
                $"./build.sh StartApplication --target-environment {environment.Name} --{environment.DisplayName}-application deployment/NAME   (or statefulset/NAME, compose/SERVICE)");
        }

        var started = await PutBackAsync(environment, application, isAsked: true, cancellation);
        if (started.Failure is { } failure)
        {
            throw new NeedsPersonException($"The application of {environment.DisplayName} is not back.", failure, $"repair it, then {application.StartingTarget}");
        }

        var down = started.Done.Count > 0 ? [] : (await application.LookAsync(cancellation)).Where(part => part is { Replicas: 0, Note: null }).Select(part => part.Name).ToList();
        if (down.Count > 0)
        {
            throw new NeedsPersonException(
                $"{string.Join(", ", down)} is at 0, and no note says who stopped it, or from which number.",
                "somebody stopped it on purpose; or, in Compose, the note lies in the dead run's folder, which may be on another machine or erased",
                "start it by hand with the number that it should have (kubectl scale, docker compose start)");
        }

        return new StepFact("application", started.Done.Count == 0 ? "no run left anything stopped" : string.Join("; ", started.Done.Select(part => $"{part.Key}: {part.Value}")));
    }

    /// <summary>The same for what a dead run left, without waiting, before something else. A cluster that does not answer stops no rollback.</summary>
    public async Task PutBackLeftoversAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            var application = applications(environment);
            if ((await application.LookAtEachAsync(cancellation)).Seen.Any(part => part.Note is not null) && (await PutBackAsync(environment, application, isAsked: false, cancellation)).Failure is { } failure)
            {
                run.Log.Warning("Not all of the application of {Environment} is put back: {Why:l}", environment.DisplayName, failure);
            }
        }
        catch (Exception unreachable) when (unreachable is RunbookException or PartException or NpgsqlException)
        {
            run.Log.Warning("Whether an earlier run left the application of {Environment} stopped, could not be seen or mended: {Why:l}", environment.DisplayName, LogText.SingleLine(unreachable.Message, 400));
        }
    }

    /// <summary>Says what an earlier run left stopped, and stays so for now.</summary>
    public async Task TellLeftoversAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            var application = applications(environment);
            foreach (var part in (await application.LookAtEachAsync(cancellation)).Seen.Where(part => part is { Note: not null, Replicas: 0 }))
            {
                run.Log.Warning("{Part} was stopped by run {Run}, and stays so until the rollback has ended. Without it: {Next:l}", part.Name, part.Note!.Run, application.StartingTarget);
            }
        }
        catch (Exception unreachable) when (unreachable is RunbookException or PartException)
        {
            run.Log.Warning("Whether an earlier run left the application of {Environment} stopped, could not be seen: {Why:l}", environment.DisplayName, LogText.SingleLine(unreachable.Message, 400));
        }
    }

    /// <summary>Under the database's lock: no other run is at work then, and whoever stopped it is dead.</summary>
    private async Task<StartedParts> PutBackAsync(DatabaseEnvironment environment, ApplicationControl application, bool isAsked, CancellationToken cancellation)
    {
        if ((await RestoreStatus.ReadAsync(environment, run.Clock.GetUtcNow(), null, cancellation)).Trouble is { } closed)
        {
            throw new RefusedException($"The application of {environment.DisplayName} would start on a closed database.", $"{closed.What} {closed.Why}", closed.Next);
        }

        await using var lease = await new SingleFlight(run) { MayBeClosed = true }.AcquireAsync(environment, options.Migrator.SingleFlightWait, cancellation);
        return await application.PutBackAsync(isAsked, waits: isAsked, cancellation);
    }
}
