using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Restores;

/// <summary>An empty database on a scratch server.</summary>
public sealed class ScratchDatabase : IAsyncDisposable
{
    private readonly IAsyncDisposable lifetime;

    internal ScratchDatabase(DatabaseEnvironment environment, string description, IAsyncDisposable lifetime) => (Environment, Description, this.lifetime) = (environment, description, lifetime);

    /// <summary>The database; its role may restore everything there.</summary>
    public DatabaseEnvironment Environment { get; }

    /// <summary>What it is on, for people.</summary>
    public string Description { get; }

    /// <summary>What a restore into it has to leave out.</summary>
    public RestoreSelection Restore { get; init; } = new() { WithoutTablespaces = true };

    /// <summary>Materialized views over foreign tables: no other server is reached from here, so they stay empty.</summary>
    public IReadOnlyList<SourceView> Unfilled { get; init; } = [];

    /// <summary>What a right copy of the source looks like here.</summary>
    public ContentDigest Expected(ContentDigest source)
    {
        var unfilled = Unfilled.Select(view => view.Name).ToHashSet(StringComparer.Ordinal);
        return unfilled.Count == 0 ? source : source with
        {
            Catalogue = [.. source.Catalogue.Select(line => line.Kind == "materialized view filled" && unfilled.Contains(line.Name) ? line with { Definition = "not populated" } : line)],
        };
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => lifetime.DisposeAsync();
}
