using Aragora.Runbook.Environments;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Flow;

/// <summary>Which databases this run is about: those that were named, or the local stack where none was.</summary>
/// <param name="named">The environments whose database was named.</param>
/// <param name="stack">The local stack, started when it is first needed.</param>
public sealed class RunbookEnvironments(IReadOnlyList<DatabaseEnvironment> named, EmbeddedStack stack)
{
    private LocalEnvironments? local;

    /// <summary>Whether the run is about the local stack.</summary>
    public bool IsLocalStack => named.Count == 0;

    /// <summary>The environment; the local stack is brought up for it.</summary>
    /// <exception cref="BadInputException">The other environment was named, and this one was not.</exception>
    public async Task<DatabaseEnvironment> GetAsync(TargetEnvironment name, CancellationToken cancellation)
    {
        if (!IsLocalStack)
        {
            return named.FirstOrDefault(environment => environment.Name == name) ?? throw Missing(name);
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

    private static BadInputException Missing(TargetEnvironment name)
    {
        return new BadInputException(
            $"The {name.ToString().ToLowerInvariant()} database is not named, and the other one is.",
            "the local stack stands in only where neither is named",
            $"export {DatabaseEnvironment.UrlVariableOf(name)}='postgresql://user:password@host:5432/database'");
    }
}
