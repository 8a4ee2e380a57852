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
    /// <returns>What is stopped with nobody at work to start it again; null where nothing is.</returns>
    public async Task<NeedsPersonException?> ShowAsync(DatabaseEnvironment environment, Func<DatabaseEnvironment, ApplicationControl> applications, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        NeedsPersonException? trouble = null;
        try
        {
            var application = applications(environment);
            var (seen, unseen) = await application.LookAtEachAsync(patience.Token);
            foreach (var why in unseen)
            {
                run.Log.Warning("A part of the application of {Environment} could not be looked at: {Why:l}", environment.DisplayName, why);
            }

            foreach (var part in seen)
            {
                var stays = await ShowAsync(environment, application, part, patience.Token, cancellation);
                trouble ??= stays;
            }
        }
        catch (Exception unreachable) when (unreachable is RunbookException or PartException || (unreachable is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            run.Log.Warning("The application of {Environment} could not be looked at: {Why:l}", environment.DisplayName, LogText.SingleLine(unreachable.Message, 400));
        }

        return trouble;
    }

    private async Task<NeedsPersonException?> ShowAsync(DatabaseEnvironment environment, ApplicationControl application, PartSeen part, CancellationToken cancellation, CancellationToken ended)
    {
        if (part.Note is not { } note)
        {
            run.Log.Information("{Environment}: {Part} has {Replicas}, {Images:l}", environment.DisplayName, part.Name, part.Replicas, string.Join(", ", part.Images));
            return null;
        }

        var what = part.Replicas == 0 ? $"was stopped by run {note.Run} at {Measures.Moment(note.At)} (it had {note.Replicas})" : $"runs ({part.Replicas}), and bears the note of run {note.Run} that it was stopped at {Measures.Moment(note.At)} (it had {note.Replicas})";
        switch (await IsAtWorkAsync(environment, note.Run, cancellation, ended))
        {
            case true:
                run.Log.Warning("{Environment}: {Part} {What:l}; that run is at work, and puts it back itself", environment.DisplayName, part.Name, what);
                return null;
            case false or null when part.LeftBecause is { } why:
                return Stays(environment, part, $"{what}, which left it so on purpose: {why}", $"when the database is as it should be: {application.StartingTarget}");
            case false:
                return Stays(environment, part, $"{what}, and that run is not at work any more", application.StartingTarget);
            case null:
                run.Log.Error("{Environment}: {Part} {What:l}; whether that run is still at work cannot be asked, since the database's server does not answer. If it is not: {Next:l}", environment.DisplayName, part.Name, what, application.StartingTarget);
                return null;
        }
    }

    /// <returns>Null where it runs, and only bears the note.</returns>
    private NeedsPersonException? Stays(DatabaseEnvironment environment, PartSeen part, string what, string next)
    {
        run.Log.Error("{Environment}: {Part} {What:l}. To put it back: {Next:l}", environment.DisplayName, part.Name, what, next);
        return part.Replicas > 0 ? null : new NeedsPersonException($"The application of {environment.DisplayName} is stopped: {part.Name}.", what, next);
    }

    /// <param name="environment">The environment.</param>
    /// <param name="runId">The run.</param>
    /// <param name="cancellation">Ends the patience.</param>
    /// <param name="ended">Ends the whole.</param>
    /// <returns>Null where the server cannot be asked.</returns>
    private async Task<bool?> IsAtWorkAsync(DatabaseEnvironment environment, string runId, CancellationToken cancellation, CancellationToken ended)
    {
        try
        {
            await using var maintenance = await MaintenanceDatabase.OpenAsync(environment, "aragora-inspect", cancellation);
            return (await SingleFlight.HoldersAsync(maintenance, environment, cancellation)).Any(holder => holder.ApplicationName == SingleFlight.NamePrefix + runId);
        }
        catch (Exception unreachable) when (unreachable is BadInputException or NpgsqlException or OperationCanceledException)
        {
            ended.ThrowIfCancellationRequested();
            run.Log.Debug(unreachable, "The server of {Environment} could not be asked who is at work", environment.DisplayName);
            return null;
        }
    }
}
