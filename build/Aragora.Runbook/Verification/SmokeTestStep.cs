using System.Security;
using System.Xml;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Verification;

/// <summary>Runs the pytest suite against a database. Green is at least one test passed, none failed, and the schema stood still meanwhile.</summary>
/// <remarks>
/// On production only tests marked <c>production_safe</c> run, in sessions that are read-only by default (through libpq's <c>PGOPTIONS</c>: asyncpg does not read that variable,
/// and a test that itself switches to read-write is not stopped), unless <see cref="SmokeTestOptions.AllowWrites"/>.
/// </remarks>
public sealed class SmokeTestStep(RunContext run, ICommandRunner commands, IPythonTools python)
{
    /// <summary>Runs the suite and writes evidence of it: green, or red where it ran and was not green, or where the database could not be reached.</summary>
    /// <exception cref="BadInputException">There is no such suite, or the database cannot be reached.</exception>
    /// <exception cref="FailedCleanException">It was not green, and <see cref="SmokeTestOptions.AfterFailure"/> says that nothing was changed before.</exception>
    /// <exception cref="NeedsPersonException">It was not green after a change.</exception>
    public async Task<SmokeTestFacts> RunAsync(DatabaseEnvironment environment, SmokeTestOptions options, CancellationToken cancellation)
    {
        var started = run.Clock.GetTimestamp();
        var suite = SuitePath(options);
        RememberSecrets(environment);
        var resultsFile = FreeName(Path.Combine(run.Folder, $"smoke-{environment.DisplayName}"));
        var facts = new SmokeTestFacts(suite, 0, 0, SmokeTestCommand.IsReadOnly(environment, options), resultsFile, SuiteHash.Of(run.Root, suite));
        DatabaseFacts? before = null;
        var isUnderWay = true;
        try
        {
            before = await DatabaseInspector.ReadAsync(environment, cancellation);
            var verdict = new SmokeTestVerdict(environment, options, suite);

            // What is refused before a test began says nothing about the database.
            isUnderWay = false;
            verdict.CheckRevision(before);
            var pytest = await python.PytestAsync(cancellation);
            PrivateFolder.Create(run.Folder);
            var command = SmokeTestCommand.Create(pytest, environment, Expecting(options, before), suite, resultsFile);
            Announce(environment, options, suite, pytest);

            isUnderWay = true;
            var report = await run.Journal.ActAsync(
                $"smoke-test {environment.DisplayName}",
                new { command = command.ToString(), readOnly = facts.ReadOnly },
                async () =>
                {
                    var (result, results) = await RunToEndAsync(command, options, resultsFile, cancellation);
                    facts = facts with { Passed = results?.Passed ?? 0, Skipped = results?.Skipped ?? 0 };
                    return verdict.Judge(result, results);
                });

            var after = await DatabaseInspector.ReadAsync(environment, cancellation);
            verdict.CheckUnmoved(before, after);
            facts = facts with { Passed = report.Passed, Skipped = report.Skipped };
            await run.RecordAsync(EvidenceKinds.SmokeTest, environment, after, facts, run.Clock.GetElapsedTime(started), options.TreeHash, cancellation);
        }
        catch (Exception failure) when (isUnderWay && failure is not OperationCanceledException)
        {
            await run.RecordFailureAsync(EvidenceKinds.SmokeTest, environment, before, facts, run.Clock.GetElapsedTime(started), options.TreeHash, failure);
            throw;
        }

        run.Log.Information("Smoke tests of {Environment}: {Passed} passed, {Skipped} skipped", environment.DisplayName, facts.Passed, facts.Skipped);
        return facts;
    }

    private void Announce(DatabaseEnvironment environment, SmokeTestOptions options, string suite, PythonTool pytest)
    {
        run.Log.Information("Smoke tests of {Environment}: {Suite} with pytest {Version} ({Origin})", environment.DisplayName, suite, pytest.Version, pytest.Origin);
        if (options.AllowWrites && environment.Name == TargetEnvironment.Production)
        {
            run.Log.Warning("The smoke tests may write to production (--allow-smoke-writes)");
            run.Journal.Note("override: smoke tests may write to production", new { option = "--allow-smoke-writes" });
        }
    }

    /// <summary>A caller without an expectation gets the one revision that is there.</summary>
    private static SmokeTestOptions Expecting(SmokeTestOptions options, DatabaseFacts before) => options with
    {
        ExpectedRevision = options.ExpectedRevision ?? before.Revisions switch
        {
            [] => "base",
            [var only] => only,
            _ => null,
        },
    };

    private string SuitePath(SmokeTestOptions options)
    {
        var suite = Path.GetFullPath(Path.Combine(run.Root, options.Suite));
        return File.Exists(suite) || Directory.Exists(suite) ? suite : throw new BadInputException(
            $"There is no smoke test suite {suite}.",
            "a migration without smoke tests is not verified",
            "name the suite with --smoke-suite, relative to the root of the checkout");
    }

    private void RememberSecrets(DatabaseEnvironment environment)
    {
        run.Secrets.Add(environment.Database.Password);
        run.Secrets.Add(SecurityElement.Escape(environment.Database.Password));
    }

    private async Task<(CommandResult Result, JUnitReport? Report)> RunToEndAsync(Command command, SmokeTestOptions options, string resultsFile, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Deadline, run.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        string? results = null;
        CommandResult result;
        try
        {
            result = await commands.RunAsync(command, (line, _) => run.Log.Information("{Line:l}", LogText.Safe(run.Secrets.Apply(line))), either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw options.AfterFailure.Failure(
                $"The smoke tests did not end within {Measures.Duration(options.Deadline)}.",
                "a test waits, perhaps for a lock",
                "./build.sh Preflight   lists who waits for whom; then ./build.sh SmokeTest");
        }
        finally
        {
            // Also after a timeout or Ctrl-C: what pytest has written by then holds the values of failed assertions.
            results = JUnitFile.Clean(resultsFile, run.Secrets);
        }

        return (result with { Output = run.Secrets.Apply(result.Output), Error = run.Secrets.Apply(result.Error) }, Parsed(results, resultsFile));
    }

    private JUnitReport? Parsed(string? results, string resultsFile)
    {
        try
        {
            return results is null ? null : JUnitReport.Parse(results);
        }
        catch (XmlException unreadable)
        {
            run.Log.Debug(unreadable, "pytest's results in {File} cannot be read", resultsFile);
            return null;
        }
    }

    /// <summary>Staging is tested twice in one run: each evidence keeps its own results.</summary>
    private static string FreeName(string stem) =>
        Enumerable.Range(1, int.MaxValue).Select(number => number == 1 ? $"{stem}.xml" : $"{stem}-{number}.xml").First(path => !File.Exists(path));
}
