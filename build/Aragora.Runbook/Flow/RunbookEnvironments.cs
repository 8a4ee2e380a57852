using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Serilog;

namespace Aragora.Runbook.Flow;

/// <summary>Which databases this run is about: those that were named, or the local stack where none was.</summary>
/// <param name="named">The environments whose database was named.</param>
/// <param name="stack">The local stack, started when it is first needed.</param>
/// <param name="log">Warns where production could not be asked.</param>
public sealed class RunbookEnvironments(IReadOnlyList<DatabaseEnvironment> named, EmbeddedStack stack, ILogger log)
{
    private LocalEnvironments? local;
    private bool isStagingKnown;

    /// <summary>Whether the run is about the local stack.</summary>
    public bool IsLocalStack => named.Count == 0;

    /// <summary>The environment; the local stack is brought up for it.</summary>
    /// <exception cref="BadInputException">The other environment was named, and this one was not.</exception>
    /// <exception cref="RefusedException">Staging turns out to be production: nothing protects it under that name.</exception>
    public async Task<DatabaseEnvironment> GetAsync(TargetEnvironment name, CancellationToken cancellation)
    {
        if (!IsLocalStack)
        {
            var environment = named.FirstOrDefault(environment => environment.Name == name) ?? throw Missing(name);
            if (name == TargetEnvironment.Staging && !isStagingKnown)
            {
                await RequireTwoDatabasesAsync(environment, cancellation);
                isStagingKnown = true;
            }

            return environment;
        }

        local ??= await stack.UpAsync(cancellation);
        return name == TargetEnvironment.Production ? local.Production : local.Staging;
    }

    /// <summary>What there is, without starting anything.</summary>
    public async Task<IReadOnlyList<DatabaseEnvironment>> FindAsync(CancellationToken cancellation)
    {
        if (!IsLocalStack)
        {
            return named;
        }

        return local is { } up ? [up.Staging, up.Production] : await stack.FindAsync(cancellation) is { } found ? [found.Staging, found.Production] : [];
    }

    private async Task RequireTwoDatabasesAsync(DatabaseEnvironment staging, CancellationToken cancellation)
    {
        if (named.FirstOrDefault(environment => environment.Name == TargetEnvironment.Production) is not { } production)
        {
            return;
        }

        try
        {
            RequireTwoDatabases(await DatabaseInspector.ReadAsync(staging, cancellation), await DatabaseInspector.ReadAsync(production, cancellation));
        }
        catch (BadInputException unreachable)
        {
            log.Warning("Whether staging and production are two databases could not be asked: {What:l} {Why:l}", unreachable.What, unreachable.Why);
        }
    }

    /// <summary>Refuses where both are one database.</summary>
    internal static void RequireTwoDatabases(DatabaseFacts staging, DatabaseFacts production)
    {
        if (IdentityChecks.Compare(staging, production) is Finding.Refusal same)
        {
            throw new RefusedException("Staging and production are not two databases.", same.Text, same.Next);
        }
    }

    private static BadInputException Missing(TargetEnvironment name)
    {
        return new BadInputException(
            $"The {name.ToString().ToLowerInvariant()} database is not named, and the other one is.",
            "the local stack stands in only where neither is named",
            $"export {DatabaseEnvironment.UrlVariableOf(name)}='postgresql://user:password@host:5432/database'");
    }
}
