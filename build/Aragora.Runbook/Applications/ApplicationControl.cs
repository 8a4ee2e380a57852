using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Applications;

/// <summary>The application of one environment: stopped as a whole, and put back as it was, also by a later run.</summary>
/// <param name="run">Journal, clock, log.</param>
/// <param name="environment">The environment.</param>
/// <param name="parts">Its parts; none where none was named, and then nothing is done.</param>
/// <param name="options">How.</param>
public sealed class ApplicationControl(RunContext run, DatabaseEnvironment environment, IReadOnlyList<IApplicationPart> parts, ApplicationOptions options)
{
    private readonly ApplicationStart start = new(run, options);
    private readonly List<StoppedPart> stopped = [];
    private long stoppedAt;
    private DateTimeOffset stoppedMoment;
    private TimeSpan stopTook;

    /// <summary>Whether there is anything to stop.</summary>
    public bool IsNamed => parts.Count > 0;

    /// <summary>Whether this run has stopped something that it has not started again.</summary>
    public bool IsStopped => stopped.Count > 0;

    /// <summary>The target that starts what a run left stopped.</summary>
    public string StartingTarget => $"./build.sh StartApplication --target-environment {environment.Name}{options.Switches}";

    /// <summary>Everything that can be known before it is stopped.</summary>
    /// <exception cref="RefusedException">A part is not there, may not be stopped, or would not stay so.</exception>
    /// <exception cref="BadInputException">Who runs it cannot be reached.</exception>
    public async Task RequireStoppableAsync(CancellationToken cancellation)
    {
        foreach (var part in parts)
        {
            await part.RequireStoppableAsync(cancellation);
        }
    }

    /// <summary>Every part as it is.</summary>
    public async Task<IReadOnlyList<PartSeen>> LookAsync(CancellationToken cancellation)
    {
        var seen = new List<PartSeen>();
        foreach (var part in parts)
        {
            seen.Add(await part.LookAsync(cancellation));
        }

        return seen;
    }

    /// <summary>Every part that can be looked at: one that is gone hides no other.</summary>
    /// <returns>The parts, and why the others could not be looked at, each with its name.</returns>
    /// <exception cref="RefusedException">None can: there is none of that name, or it may not be read.</exception>
    /// <exception cref="BadInputException">None can: who runs it cannot be reached.</exception>
    public async Task<(IReadOnlyList<PartSeen> Seen, IReadOnlyList<string> Unseen)> LookAtEachAsync(CancellationToken cancellation)
    {
        var (seen, unseen) = (new List<PartSeen>(), new List<string>());
        RunbookException? first = null;
        foreach (var part in parts)
        {
            try
            {
                seen.Add(await part.LookAsync(cancellation));
            }
            catch (RunbookException absent)
            {
                first ??= absent;
                unseen.Add($"{part.Name}: {LogText.SingleLine(absent.Message, 400)}");
            }
        }

        return seen.Count == 0 && first is not null ? throw first : (seen, unseen);
    }

    /// <summary>Stops it, and waits until its instances are gone, and its sessions in the database.</summary>
    /// <param name="maintenance">A session of the maintenance database.</param>
    /// <param name="database">The live database's OID.</param>
    /// <param name="cancellation">Ends the waiting; the caller starts it again.</param>
    /// <exception cref="FailedCleanException">It did not stop, or somebody started it again; the caller starts it again.</exception>
    public async Task StopAsync(PostgresSession maintenance, uint database, CancellationToken cancellation)
    {
        if (!IsNamed)
        {
            return;
        }

        var seen = await PersistAsync(() => LookAsync(cancellation), cancellation);
        foreach (var idle in seen.Where(part => part is { Replicas: 0, Note: null }))
        {
            run.Log.Information("{Part} is at 0 already, and stays so", idle.Name);
        }

        var running = seen.Where(part => part is not { Replicas: 0, Note: null }).ToList();
        var intent = new StopIntent(environment.Database.Endpoint, environment.Database.Database, [.. running.Select(part => new StopIntentPart(part.Name, part.Note?.Replicas ?? part.Replicas, part.Images, part.Holders, part.LeftBecause))]);
        (stoppedAt, stoppedMoment) = (run.Clock.GetTimestamp(), run.Clock.GetUtcNow());
        await run.Journal.ActAsync(StopIntent.Act(environment), intent, async () =>
        {
            try
            {
                foreach (var part in running)
                {
                    // From here on it may be stopped, whatever is answered.
                    stopped.Add(new StoppedPart(part.Name, part.Images, part.Note?.Replicas ?? part.Replicas, null) { LeftBecause = part.LeftBecause });
                    var replicas = await PersistAsync(() => Part(part.Name).StopAsync(part, run.RunId, stoppedMoment, cancellation), cancellation);
                    stopped[^1] = stopped[^1] with { Replicas = replicas };
                    run.Log.Information("Stopping {Part}: {Replicas} {Noun:l}, {Images:l}", part.Name, replicas, replicas == 1 ? "instance" : "instances", string.Join(", ", part.Images));
                }

                await new ApplicationGone(run, options).WaitAsync([.. running.Select(part => Part(part.Name))], running.SelectMany(part => part.Addresses).ToHashSet(StringComparer.Ordinal), maintenance, database, cancellation);
            }
            catch (PartException failure)
            {
                throw new FailedCleanException($"The application of {environment.DisplayName} could not be stopped.", failure.Message, "./build.sh Status, then repeat the command", failure);
            }

            stopTook = run.Clock.GetElapsedTime(stoppedAt);
            return stopped;
        });
        run.Log.Information("The application is stopped, and has no session in {Database}: after {Took:l}", environment.Database.Database, Measures.Duration(stopTook));
    }

    /// <summary>Puts back what this run stopped on a database that it did not change, and waits until it is ready. What an earlier run had left stopped on purpose stays so.</summary>
    /// <returns>As <see cref="StartAsync"/>.</returns>
    public Task<ApplicationFacts?> ReturnAsync()
    {
        foreach (var left in stopped.Where(part => part.LeftBecause is not null))
        {
            run.Log.Warning("{Part} stays stopped, as it was found: {Why:l}. When the database is as it should be: {Next:l}", left.Name, left.LeftBecause, StartingTarget);
        }

        stopped.RemoveAll(part => part.LeftBecause is not null);
        return StartAsync();
    }

    /// <summary>Puts back what this run stopped, and what it found stopped by another, and waits until it is ready. Not cancelled with the run.</summary>
    /// <returns>What was stopped and started; its <c>Failure</c> tells what is not back. Null where nothing was stopped.</returns>
    public async Task<ApplicationFacts?> StartAsync()
    {
        if (!IsStopped)
        {
            return null;
        }

        var began = run.Clock.GetTimestamp();
        if (stopTook == TimeSpan.Zero)
        {
            stopTook = run.Clock.GetElapsedTime(stoppedAt);
        }

        var started = await start.RunAsync(environment, [.. stopped.Select(part => Part(part.Name))], run.RunId, waits: true);
        var facts = new ApplicationFacts(
            [.. stopped.Select(part => part with { PutBack = started.Done.GetValueOrDefault(part.Name) })],
            stoppedMoment,
            stopTook,
            run.Clock.GetElapsedTime(began),
            run.Clock.GetElapsedTime(stoppedAt),
            started.Failure);
        stopped.Clear();
        if (facts.Failure is null)
        {
            run.Log.Information("The application is back: {Parts:l}; it was away for {Unavailable:l}", string.Join("; ", facts.Parts.Select(part => $"{part.Name}: {part.PutBack}")), Measures.Duration(facts.Unavailable));
        }

        return facts;
    }

    /// <summary>Puts back what an earlier run left stopped. The caller holds the database's lock: so no such run is at work.</summary>
    /// <param name="isAsked">Whether a person asked for it: then also what was left stopped on purpose.</param>
    /// <param name="waits">Whether it is waited for until it is ready.</param>
    /// <param name="cancellation">Ends the looking; not the putting back.</param>
    /// <returns>What was put back, by part; empty where nothing was left.</returns>
    public async Task<StartedParts> PutBackAsync(bool isAsked, bool waits, CancellationToken cancellation)
    {
        var done = new Dictionary<string, string>(StringComparer.Ordinal);
        var (seen, unseen) = await LookAtEachAsync(cancellation);
        var failure = unseen.Count > 0 ? string.Join("; ", unseen) : null;
        var leaving = seen.Where(part => part.LeftBecause is not null).SelectMany(part => part.Suspended).ToHashSet(StringComparer.Ordinal);
        foreach (var left in seen.Where(part => part.Note is not null && part.Note.Run != run.RunId))
        {
            var note = left.Note!;
            if (left.LeftBecause is { } why && !isAsked)
            {
                run.Log.Warning("{Part} was left stopped on purpose by run {Run} ({At:l}), and stays so: {Why:l}. When the database is as it should be: {Next:l}", left.Name, note.Run, Measures.Moment(note.At), why, StartingTarget);
                continue;
            }

            if (!isAsked && left.Suspended.FirstOrDefault(leaving.Contains) is { } shared)
            {
                run.Log.Warning("{Part} is at {Replicas} and bears the note of run {Run}. {Shared:l} is suspended for it, and for another part that was left stopped on purpose and would be started with it: neither is touched. When the database is as it should be: {Next:l}", left.Name, left.Replicas, note.Run, shared, StartingTarget);
                continue;
            }

            run.Log.Warning("{Part} was stopped by run {Run}, which {End:l} ({At:l}): it is put back to {Replicas}", left.Name, note.Run, left.LeftBecause is null ? "died" : "left it so", Measures.Moment(note.At), note.Replicas);
            var started = await start.RunAsync(environment, [Part(left.Name)], note.Run, waits);
            failure ??= started.Failure;
            foreach (var (name, what) in started.Done)
            {
                done[name] = what;
            }
        }

        return new StartedParts(done, failure);
    }

    /// <summary>Leaves it stopped on purpose, where nobody knows what it would find; noted, so that no later run starts it unasked.</summary>
    /// <returns>What has to be said.</returns>
    public async Task<NeedsPersonException> LeaveStoppedAsync(NeedsPersonException person)
    {
        var why = LogText.SingleLine(run.Secrets.Apply(person.What), 200);
        new SteadyJournal(run).Note(StopIntent.Leaving(environment), new LeftIntent([.. stopped.Select(part => part.Name)], why));
        var unnoted = new List<string>();
        foreach (var part in stopped)
        {
            try
            {
                await PersistAsync(
                    async () =>
                    {
                        await Part(part.Name).LeaveAsync(run.RunId, why, CancellationToken.None);
                        return part;
                    },
                    CancellationToken.None);
            }
            catch (Exception unreachable)
            {
                // Whatever it was: the other parts are noted all the same, and what is to be said is said.
                run.Log.Error(unreachable, "That {Part} is left stopped on purpose could not be noted on it", part.Name);
                unnoted.Add(part.Name);
            }
        }

        return new NeedsPersonException(
            person.What,
            $"{person.Why}. The application is stopped, and stays so: {string.Join(", ", stopped.Select(part => $"{part.Name} (it had {part.Replicas})"))}{(unnoted.Count == 0 ? "" : $"; on {string.Join(", ", unnoted)} that could not be noted, and the next Rollback would start it")}",
            $"{person.Next}; when the database is as it should be: {StartingTarget}, or by hand: {string.Join("; ", stopped.Select(part => Part(part.Name).StartingCommand(part.Replicas)))}",
            person);
    }

    /// <summary>What has to be said where the application could not be started again.</summary>
    public NeedsPersonException NotBack(ApplicationFacts facts, Exception? before) => new(
        $"The application of {environment.DisplayName} is not back: {facts.Failure}.",
        before is null ? $"the database {environment.Database.Database} is exchanged and open; it had {string.Join(", ", facts.Parts.Select(part => $"{part.Replicas} of {part.Name}"))}" : $"before: {LogText.SingleLine(before.Message, 600)}",
        $"./build.sh Status --target-environment {environment.Name}; then {StartingTarget}, or by hand: {string.Join("; ", facts.Parts.Select(part => Part(part.Name).StartingCommand(part.Replicas)))}",
        before);

    /// <summary>A hiccup of the API server must not throw away a copy that took hours. What is repeated keeps its first note.</summary>
    private async Task<T> PersistAsync<T>(Func<Task<T>> act, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await act();
            }
            catch (Exception busy) when (busy is BadInputException or PartException { IsTransient: true } && run.Clock.GetElapsedTime(started) < options.AnswerPatience)
            {
                run.Log.Warning("The application does not answer, and is asked again: {Why:l}", LogText.SingleLine(busy.Message, 400));
                await Task.Delay(options.Interval, run.Clock, cancellation);
            }
        }
    }

    private IApplicationPart Part(string name) => parts.First(part => part.Name == name);
}
