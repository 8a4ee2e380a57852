using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Restores;

/// <summary>What a server and a database must have so that a dump of the source can be restored there as it was. Part of a backup's manifest.</summary>
public sealed record SourceShape
{
    /// <summary>The server's major version.</summary>
    public required int ServerMajor { get; init; }

    /// <summary>The source cluster's system identifier, decimal: it is never the scratch server. Null where it was not read.</summary>
    public string? SystemIdentifier { get; init; }

    /// <summary>The database's encoding, such as UTF8.</summary>
    public required string Encoding { get; init; }

    /// <summary><c>LC_COLLATE</c> of the database.</summary>
    public required string Collate { get; init; }

    /// <summary><c>LC_CTYPE</c> of the database.</summary>
    public required string Ctype { get; init; }

    /// <summary>Who compares strings: <c>libc</c>, <c>icu</c> or <c>builtin</c>.</summary>
    public string LocaleProvider { get; init; } = "libc";

    /// <summary>The locale of <c>icu</c> and <c>builtin</c>; null for <c>libc</c>.</summary>
    public string? Locale { get; init; }

    /// <summary>ICU's additional rules; null for none.</summary>
    public string? IcuRules { get; init; }

    /// <summary>The version of the provider's collation that the database was made with; null where there is none.</summary>
    public string? CollationVersion { get; init; }

    /// <summary><c>lc_monetary</c>, by which a dump writes money; null where no column is of that type.</summary>
    public string? Monetary { get; init; }

    /// <summary>Collations of the cluster that the database's objects use, and those of its own that rest on the machine's locales.</summary>
    public IReadOnlyList<SourceCollation> Collations { get; init; } = [];

    /// <summary>Its extensions, in the order they were made in.</summary>
    public IReadOnlyList<SourceExtension> Extensions { get; init; } = [];

    /// <summary>Every role that the dump names, and the roles whose rights these inherit; none of PostgreSQL's own.</summary>
    public IReadOnlyList<SourceRole> Roles { get; init; } = [];

    /// <summary>What may reach another machine: foreign servers, subscriptions, extensions and languages that can; for people.</summary>
    public IReadOnlyList<string> ReachesOut { get; init; } = [];

    /// <summary>Populated materialized views that read foreign tables, directly or not: where nothing is reached, they cannot be filled.</summary>
    public IReadOnlyList<SourceView> ViewsOfForeignTables { get; init; } = [];

    /// <summary>Reads it in a session of the source; any role may.</summary>
    public static Task<SourceShape> ReadAsync(PostgresSession session, CancellationToken cancellation) => new SourceShapeReader(session).ReadAsync(cancellation);
}

/// <summary>A collation that a restore needs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsOfCluster">Whether it is in <c>pg_catalog</c> (made from the machine's locales by initdb, or imported later), which no dump has, and not the database's own.</param>
/// <param name="Provider"><c>libc</c> or <c>icu</c>.</param>
/// <param name="Collate"><c>LC_COLLATE</c>; null for ICU.</param>
/// <param name="Ctype"><c>LC_CTYPE</c>; null for ICU.</param>
/// <param name="Locale">ICU's locale; null for libc.</param>
public sealed record SourceCollation(string Name, bool IsOfCluster, string Provider, string? Collate, string? Ctype, string? Locale);

/// <summary>An extension of the source.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Schema">The schema it is in.</param>
/// <param name="SchemaOid">That schema's OID in the source: the archive names it by that.</param>
/// <param name="SchemaOwner">Who owns the schema.</param>
public sealed record SourceExtension(string Name, string Version, string Schema, uint SchemaOid, string SchemaOwner);

/// <summary>A role of the source's cluster; never its password.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsSuperuser">Whether it may everything: a materialized view of such an owner reads what nobody granted.</param>
/// <param name="BypassesRowSecurity">Whether row security hides nothing from it.</param>
/// <param name="Inherits">The roles whose rights it has without asking, PostgreSQL's own among them.</param>
public sealed record SourceRole(string Name, bool IsSuperuser, bool BypassesRowSecurity, IReadOnlyList<string> Inherits)
{
    /// <summary>Whether the dump names it for certain; others are groups of such a role, the first superuser, and what a column of type regrole may hold. True where it was not read.</summary>
    public bool IsNamed { get; init; } = true;

    /// <summary>Whether it owns something that the dump gives back to it: who restores must be a member of it. False where it was not read.</summary>
    public bool Owns { get; init; }
}

/// <summary>A view of the source.</summary>
/// <param name="Oid">Its OID there: the archive names it by that.</param>
/// <param name="Name">Schema and name, quoted, as the digest names it.</param>
public sealed record SourceView(uint Oid, string Name);
