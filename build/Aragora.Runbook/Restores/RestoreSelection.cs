namespace Aragora.Runbook.Restores;

/// <summary>What of an archive is not restored, because the place that it is restored into is not the source's.</summary>
public sealed record RestoreSelection
{
    /// <summary>Whether everything goes into the database's own tablespace.</summary>
    public bool WithoutTablespaces { get; init; }

    /// <summary>Entries that are left out.</summary>
    public IReadOnlyList<ArchiveItem> LeftOut { get; init; } = [];
}

/// <summary>An entry of an archive's table of contents, as <c>pg_restore --list</c> shows it.</summary>
/// <param name="Kind">Such as <c>SCHEMA</c> or <c>MATERIALIZED VIEW DATA</c>.</param>
/// <param name="Oid">The object's OID in the source.</param>
public sealed record ArchiveItem(string Kind, uint Oid);
