using System.Collections.Concurrent;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Preflight;

/// <summary>Asks both databases and the checkout everything that can be known before anything is touched. Read-only, in seconds.</summary>
/// <param name="run">The run.</param>
/// <param name="checks">What databases are asked. Default: <see cref="PreflightChecks.All"/>.</param>
public sealed class PreflightStep(RunContext run, IReadOnlyList<PreflightCheck>? checks = null)
{
    private readonly IReadOnlyList<PreflightCheck> asks = checks ?? PreflightChecks.All;

    /// <summary>Runs every check. Databases are asked at the same time, each over a few sessions.</summary>
    /// <param name="environments">Staging and production, or one of them.</param>
    /// <param name="options">Limits, and what is injected.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <returns>The report, also when checks refuse: call <see cref="PreflightReport.ThrowIfRefused"/>.</returns>
    public async Task<PreflightReport> RunAsync(IReadOnlyList<DatabaseEnvironment> environments, PreflightOptions options, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var (tree, treeResult) = await LoadTreeAsync(options, cancellation);
        var surroundings = AskSurroundingsAsync(environments, options, cancellation);
        var asked = await Task.WhenAll(environments.Select(environment => AskAsync(environment, options, tree, cancellation)));
        var databases = asked.Where(one => one.Facts is not null).ToDictionary(one => one.Environment, one => one.Facts!);
        var results = new List<PreflightResult> { treeResult };
        if (databases.TryGetValue(TargetEnvironment.Staging, out var staging) && databases.TryGetValue(TargetEnvironment.Production, out var production))
        {
            results.Add(new PreflightResult(null, "identities", "Two databases", IdentityChecks.Compare(staging, production), TimeSpan.Zero));
        }

        results.AddRange(asked.SelectMany(one => one.Results));
        results.AddRange(await surroundings);
        return new PreflightReport([.. results.Select(Masked)], databases, run.Clock.GetElapsedTime(started));
    }

    private PreflightResult Masked(PreflightResult result) =>
        result with { Finding = result.Finding with { Text = run.Secrets.Apply(result.Finding.Text), Next = run.Secrets.Apply(result.Finding.Next) } };

    private async Task<(MigrationsTree? Tree, PreflightResult Result)> LoadTreeAsync(PreflightOptions options, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        try
        {
            var tree = await options.LoadTree(cancellation);
            return (tree, Result(RevisionChecks.Tree(tree, options.TargetRevision)));
        }
        catch (RunbookException failure)
        {
            return (null, Result(new Finding.Refusal($"{failure.What} {failure.Why}", failure.Next)));
        }

        PreflightResult Result(Finding finding) => new(null, "migrations-tree", "Migrations tree", finding, run.Clock.GetElapsedTime(started));
    }

    /// <summary>One after the other for each environment: they ask the same cluster or engine.</summary>
    private async Task<IReadOnlyList<PreflightResult>> AskSurroundingsAsync(IReadOnlyList<DatabaseEnvironment> environments, PreflightOptions options, CancellationToken cancellation)
    {
        var all = await Task.WhenAll(environments.Select(async environment =>
        {
            var results = new List<PreflightResult>();
            foreach (var check in options.Surroundings.Where(check => check.Environment == environment.Name && (!check.OnlyForMigration || options.Migrates)))
            {
                var started = run.Clock.GetTimestamp();
                Finding finding;
                try
                {
                    finding = await check.Run(cancellation);
                }
                catch (RunbookException failure)
                {
                    finding = new Finding.Refusal($"{failure.What} {failure.Why}", failure.Next);
                }

                results.Add(new PreflightResult(check.Environment, check.Id, check.Title, finding, run.Clock.GetElapsedTime(started)));
            }

            return results;
        }));
        return [.. all.SelectMany(results => results)];
    }

    private async Task<Asked> AskAsync(DatabaseEnvironment environment, PreflightOptions options, MigrationsTree? tree, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        PreflightSubject subject;
        try
        {
            subject = await OpenAsync(environment, options, tree, cancellation);
        }
        catch (RunbookException unreachable)
        {
            return new Asked(environment.Name, null, [Reached(new Finding.Refusal($"{unreachable.What} {unreachable.Why}", unreachable.Next))]);
        }

        await using (subject.Session)
        {
            var (facts, finding) = await IdentifyAsync(subject, cancellation);
            var reached = Reached(finding);
            var open = new ConcurrentQueue<PreflightCheck>(asks.Where(check => (!check.OnlyForBackup || environment.Name == TargetEnvironment.Production) && (!check.OnlyForMigration || options.Migrates)));
            var results = new ConcurrentBag<PreflightResult>();
            var workers = Enumerable.Range(0, Math.Max(0, options.Sessions - 1)).Select(_ => HelpAsync(environment, options, tree, facts, open, results, cancellation));
            await Task.WhenAll(workers.Prepend(WorkAsync(subject with { Facts = facts }, open, results, cancellation)));
            var order = asks.Select((check, index) => (check.Id, index)).ToDictionary(pair => pair.Id, pair => pair.index, StringComparer.Ordinal);
            return new Asked(environment.Name, facts, [reached, .. results.OrderBy(result => order[result.Id])]);
        }

        PreflightResult Reached(Finding finding) => new(environment.Name, "reachable", "Reachable, and what it is", finding, run.Clock.GetElapsedTime(started));
    }

    /// <summary>A further session, if the server has one to spare; the first one does all the work otherwise.</summary>
    private async Task HelpAsync(DatabaseEnvironment environment, PreflightOptions options, MigrationsTree? tree, DatabaseFacts? facts, ConcurrentQueue<PreflightCheck> open, ConcurrentBag<PreflightResult> results, CancellationToken cancellation)
    {
        PreflightSubject subject;
        try
        {
            subject = await OpenAsync(environment, options, tree, cancellation);
        }
        catch (BadInputException full)
        {
            run.Log.Debug(full, "No further session for the preflight of {Environment}", environment.DisplayName);
            return;
        }

        await using (subject.Session)
        {
            await WorkAsync(subject with { Facts = facts }, open, results, cancellation);
        }
    }

    private static async Task<PreflightSubject> OpenAsync(DatabaseEnvironment environment, PreflightOptions options, MigrationsTree? tree, CancellationToken cancellation)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["statement_timeout"] = Milliseconds(options.StatementTimeout),
            ["lock_timeout"] = Milliseconds(options.LockTimeout),
        };
        var session = await PostgresSession.OpenAsync(environment, "aragora-preflight", settings: settings, cancellation: cancellation);
        try
        {
            var isReadOnly = await IdentityChecks.IsReadOnlyByDefaultAsync(session, cancellation);
            await session.ExecuteAsync("SET default_transaction_read_only = on", cancellation);
            return new PreflightSubject { Environment = environment, Session = session, Options = options, Tree = tree, IsReadOnlyByDefault = isReadOnly };
        }
        catch (NpgsqlException lost)
        {
            await session.DisposeAsync();
            throw ConnectionFailures.Explain(environment, environment.Database.Database, lost);
        }
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<(DatabaseFacts? Facts, Finding Finding)> IdentifyAsync(PreflightSubject subject, CancellationToken cancellation)
    {
        try
        {
            var facts = await DatabaseInspector.ReadAsync(subject.Session, subject.Environment, cancellation);
            return (facts, new Finding.Ok($"{facts.Identity}, as {subject.Role}"));
        }
        catch (Exception failure) when (failure is NpgsqlException or BadInputException)
        {
            return (null, PreflightFailures.Explain(failure, subject, isEssential: true));
        }
    }

    private async Task WorkAsync(PreflightSubject subject, ConcurrentQueue<PreflightCheck> open, ConcurrentBag<PreflightResult> results, CancellationToken cancellation)
    {
        while (open.TryDequeue(out var check))
        {
            var started = run.Clock.GetTimestamp();
            Finding finding;
            try
            {
                finding = await check.Run(subject, cancellation);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                run.Log.Debug(failure, "Preflight check {Check} of {Environment} failed", check.Id, subject.Environment.DisplayName);
                finding = PreflightFailures.Explain(failure, subject, check.IsEssential);
            }

            results.Add(new PreflightResult(subject.Environment.Name, check.Id, check.Title, finding, run.Clock.GetElapsedTime(started)));
        }
    }

    private sealed record Asked(TargetEnvironment Environment, DatabaseFacts? Facts, IReadOnlyList<PreflightResult> Results);
}

/// <summary>A check that could not be made is a finding, never a crash.</summary>
internal static class PreflightFailures
{
    public static Finding Explain(Exception failure, PreflightSubject subject, bool isEssential)
    {
        var (text, next) = failure switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } denied => ($"{subject.Role} may not ask: {denied.MessageText}", MissingGrant.Statement(denied, subject.Role)),
            PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => ($"no answer within {Measures.Duration(subject.Options.StatementTimeout)}: the server is overloaded", "./build.sh Preflight; then repeat"),
            PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => ($"a lock was not to be had within {Measures.Duration(subject.Options.LockTimeout)}", "./build.sh Preflight shows who holds it; then repeat"),
            PostgresException other => ($"the server answered {other.SqlState}: {other.MessageText}", "./build.sh Preflight   again; the run's log.ndjson has the details"),
            RunbookException told => ($"{told.What} {told.Why}", told.Next),
            _ => ($"could not be read: {failure.Message}", "./build.sh Preflight   again; the run's log.ndjson has the details"),
        };
        return isEssential ? new Finding.Refusal(text, next) : new Finding.Warning(text, next);
    }
}
