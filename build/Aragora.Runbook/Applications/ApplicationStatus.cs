using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Applications;

/// <summary>For Status: what of the application is stopped, by which run, since when, and what to type.</summary>
/// <param name="run">Log.</param>
public sealed class ApplicationStatus(RunContext run)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Looks, and says it. Changes nothing; what cannot be asked is said as well.</summary>
    public async Task ShowAsync(DatabaseEnvironment environment, Func<DatabaseEnvironment, ApplicationControl> applications, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            var application = applications(environment);
            foreach (var part in await application.LookAsync(patience.Token))
            {
                await ShowAsync(environment, application, part, patience.Token);
            }
        }
        catch (Exception unreachable) when (unreachable is RunbookException or PartException || (unreachable is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            run.Log.Warning("The application of {Environment} could not be looked at: {Why:l}", environment.DisplayName, LogText.SingleLine(unreachable.Message, 400));
        }
    }

    private async Task ShowAsync(DatabaseEnvironment environment, ApplicationControl application, PartSeen part, CancellationToken cancellation)
    {
        if (part.Note is not { } note)
        {
            run.Log.Information("{Environment}: {Part} has {Replicas}, {Images:l}", environment.DisplayName, part.Name, part.Replicas, string.Join(", ", part.Images));
            return;
        }

        var what = part.Replicas == 0 ? $"was stopped by run {note.Run} at {Measures.Moment(note.At)} (it had {note.Replicas})" : $"runs ({part.Replicas}), and bears the note of run {note.Run} that it was stopped at {Measures.Moment(note.At)} (it had {note.Replicas})";
        switch (await IsAtWorkAsync(environment, note.Run, cancellation))
        {
            case true:
                run.Log.Warning("{Environment}: {Part} {What:l}; that run is at work, and puts it back itself", environment.DisplayName, part.Name, what);
                break;
            case false:
                run.Log.Error("{Environment}: {Part} {What:l}, and that run is not at work any more. To put it back: {Next:l}", environment.DisplayName, part.Name, what, application.StartingTarget);
                break;
            case null:
                run.Log.Error("{Environment}: {Part} {What:l}; whether that run is still at work cannot be asked, since the database's server does not answer. If it is not: {Next:l}", environment.DisplayName, part.Name, what, application.StartingTarget);
                break;
        }
    }

    /// <returns>Null where the server cannot be asked.</returns>
    private async Task<bool?> IsAtWorkAsync(DatabaseEnvironment environment, string runId, CancellationToken cancellation)
    {
        try
        {
            await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-inspect", cancellation);
            return (await SingleFlight.HoldersAsync(maintenance, environment, cancellation)).Any(holder => holder.ApplicationName == SingleFlight.NamePrefix + runId);
        }
        catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException)
        {
            run.Log.Debug(unreachable, "The server of {Environment} could not be asked who is at work", environment.DisplayName);
            return null;
        }
    }
}
