using Aragora.Runbook.Migrations;

namespace Aragora.Runbook.Flow;

/// <summary>The migrations tree of this run, read when it is first needed.</summary>
public sealed class LoadedTree(MigrationsTreeReader reader, Func<AlembicProject> locate)
{
    private MigrationsTree? tree;

    /// <summary>The tree.</summary>
    public async Task<MigrationsTree> GetAsync(CancellationToken cancellation) => tree ??= await reader.ReadAsync(locate(), cancellation);

    /// <summary>Its hash.</summary>
    public async Task<string> HashAsync(CancellationToken cancellation) => (await GetAsync(cancellation)).Hash;
}
