using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Aragora.Runbook.Verification;

namespace Aragora.Runbook.Applications;

/// <summary>Before a rollback: which application will run on which schema, and whether it works there, as far as it says so itself.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="options">What the person says of it.</param>
/// <param name="applications">The application of an environment.</param>
public sealed class SchemaFit(RunContext run, ApplicationOptions options, Func<DatabaseEnvironment, ApplicationControl> applications)
{
    /// <summary>The same, as a downgrade asks it.</summary>
    public MigrationGate Gate(DatabaseEnvironment environment) => (_, target, cancellation) => RequireAsync(environment, [target.Revision], cancellation);

    /// <summary>Says it, and refuses where the application does not work at that revision.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="target">The revisions that the database is about to be at; none for base.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">The application says that it does not work there.</exception>
    public async Task RequireAsync(DatabaseEnvironment environment, IReadOnlyList<string> target, CancellationToken cancellation)
    {
        IReadOnlyList<string> wanted = target.Count == 0 ? [RevisionTarget.Base] : target;
        var parts = await LookAsync(environment, cancellation);
        var images = parts.SelectMany(part => part.Images).Distinct(StringComparer.Ordinal).ToList();
        var application = images.Count > 0 ? string.Join(", ", images) : $"the application of {environment.DisplayName}";
        run.Log.Information("After this, {Application:l} runs on schema revision {Revision:l}", application, string.Join(", ", wanted));
        var (source, works) = options.Revisions is { } said ? ("--application-revisions", said) : await AskAsync(environment, cancellation);
        if (works is null)
        {
            run.Log.Information("Whether it works there is not known: {Why:l}", source);
            return;
        }

        var missing = wanted.Except(works, StringComparer.Ordinal).ToList();
        if (missing.Count == 0)
        {
            run.Log.Information("It works there: {Source:l} names that revision", source);
            return;
        }

        var deploy = parts.Select(part => part.Deploying).ToList();
        throw new RefusedException(
            $"{application} does not work with schema revision {string.Join(", ", missing)}.",
            $"{source} says that it works with {string.Join(", ", works)}; nothing was changed",
            $"deploy the application that works with {string.Join(", ", missing)} first{(deploy.Count > 0 ? $": {string.Join("; ", deploy)}" : "")}; or, where that is not true, the same line with --application-revisions {string.Join(',', wanted)}");
    }

    /// <summary>A rollback works while the cluster does not: then the images are not known, and that is said.</summary>
    private async Task<IReadOnlyList<PartSeen>> LookAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        try
        {
            return await applications(environment).LookAsync(cancellation);
        }
        catch (Exception unreachable) when (unreachable is RunbookException or PartException)
        {
            run.Log.Warning("Which application runs cannot be seen: {Why:l}", LogText.SingleLine(unreachable.Message, 400));
            return [];
        }
    }

    private async Task<(string Source, IReadOnlyList<string>? Revisions)> AskAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        if (environment.HealthUrl is not { IsAbsoluteUri: true, Scheme: "http" or "https" } url)
        {
            return ("it has no health URL to ask", null);
        }

        using var probe = new HealthProbe(url, new HealthCheckOptions(), run.Secrets, run.Clock);
        var answer = await probe.AskAsync(cancellation);
        var shown = HealthProbe.Shown(url).ToString();
        var silent = answer.Outcome == HealthOutcome.Healthy ? "does not say with which revisions it works (docs/application.md)" : $"does not say it: {answer}";
        return (answer.Revisions is null ? $"{shown} {silent}" : shown, answer.Revisions);
    }
}
