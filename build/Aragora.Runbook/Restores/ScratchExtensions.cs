using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Restores;

/// <summary>Whether a scratch server has the source's extensions, each in its version.</summary>
internal static class ScratchExtensions
{
    private const string Available = "SELECT v.name::text, v.version, v.version = e.default_version FROM pg_catalog.pg_available_extension_versions v JOIN pg_catalog.pg_available_extensions e USING (name)";

    /// <summary>These refuse to be made on a server that did not load them at its start.</summary>
    private static readonly HashSet<string> Preloaded = new(["timescaledb", "citus", "pg_cron", "pgaudit", "pglogical", "pg_stat_kcache", "pg_squeeze", "pg_documentdb"], StringComparer.Ordinal);

    /// <summary>Debian's packages where the name does not follow from the extension's.</summary>
    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["vector"] = "postgresql-{0}-pgvector", ["postgis"] = "postgresql-{0}-postgis-3", ["postgis_raster"] = "postgresql-{0}-postgis-3", ["postgis_topology"] = "postgresql-{0}-postgis-3",
        ["postgis_sfcgal"] = "postgresql-{0}-postgis-3", ["postgis_tiger_geocoder"] = "postgresql-{0}-postgis-3", ["address_standardizer"] = "postgresql-{0}-postgis-3",
        ["plpython3u"] = "postgresql-plpython3-{0}", ["plperl"] = "postgresql-plperl-{0}", ["plperlu"] = "postgresql-plperl-{0}", ["pltcl"] = "postgresql-pltcl-{0}", ["pltclu"] = "postgresql-pltcl-{0}",
        ["pg_cron"] = "postgresql-{0}-cron", ["pg_partman"] = "postgresql-{0}-partman", ["pg_repack"] = "postgresql-{0}-repack", ["pg_squeeze"] = "postgresql-{0}-squeeze", ["pg_hint_plan"] = "postgresql-{0}-pg-hint-plan",
    };

    /// <summary>PostgreSQL's own, which Debian has in the server's package since version 10 and Red Hat in one of its own.</summary>
    private static readonly HashSet<string> Contrib = new(
        [
            "adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username",
            "intagg", "intarray", "isn", "lo", "ltree", "moddatetime", "old_snapshot", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm", "pg_stat_statements", "pg_surgery", "pg_trgm",
            "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2",
        ],
        StringComparer.Ordinal);

    /// <summary>Refuses where one is missing.</summary>
    /// <returns>Whether each of them would come in the source's version by itself: an archive names no version.</returns>
    /// <exception cref="RefusedException">An extension, or its version, is not there; the message names the package.</exception>
    public static async Task<bool> CheckAsync(PostgresSession session, SourceShape shape, CancellationToken cancellation)
    {
        var there = await session.QueryAsync(Available, row => (Name: row.GetString(0), Version: row.GetString(1), IsDefault: row.GetBoolean(2)), cancellation);
        var missing = shape.Extensions.Where(extension => !there.Any(found => found.Name == extension.Name && found.Version == extension.Version)).ToList();
        if (missing.Count > 0)
        {
            var why = missing.Select(extension => there.Where(found => found.Name == extension.Name).Select(found => found.Version).ToList() is { Count: > 0 } others
                ? $"{extension.Name} is there in {string.Join(", ", others.Order(StringComparer.Ordinal))}"
                : $"{extension.Name} is not installed");
            throw new RefusedException(
                $"The scratch server lacks what the backup needs: {string.Join(", ", missing.Select(extension => $"extension {extension.Name} {extension.Version}"))}.",
                string.Join("; ", why),
                $"apt-get install {string.Join(' ', missing.Select(extension => PackageOf(extension.Name, shape.ServerMajor)).Distinct(StringComparer.Ordinal))}   (look with -s first: a running server may be upgraded along with it); or name a server that has it with --scratch-server-url");
        }

        var loaded = (await session.ScalarAsync<string>("SELECT pg_catalog.current_setting('shared_preload_libraries')", cancellation) ?? "").Split(',', StringSplitOptions.TrimEntries);
        if (shape.Extensions.Where(extension => Preloaded.Contains(extension.Name) && !loaded.Contains(extension.Name, StringComparer.Ordinal)).Select(extension => extension.Name).ToList() is { Count: > 0 } unloaded)
        {
            throw new RefusedException(
                $"The scratch server did not load {string.Join(", ", unloaded)} at its start.",
                "without that, the extension cannot be made there",
                "name a server with --scratch-server-url whose shared_preload_libraries has it");
        }

        return shape.Extensions.All(extension => there.Any(found => found.Name == extension.Name && found.Version == extension.Version && found.IsDefault));
    }

    /// <summary>Makes all of them in the source's versions, in its order and its schemas, ahead of the restore.</summary>
    /// <returns>The schemas that were made for it: the archive's own statements would find them there, and complain.</returns>
    public static async Task<IReadOnlyList<ArchiveItem>> CreateAsync(PostgresSession session, SourceShape shape, CancellationToken cancellation)
    {
        var made = new List<ArchiveItem>();
        foreach (var extension in shape.Extensions)
        {
            if (await session.ScalarAsync<bool>("SELECT pg_catalog.count(*) = 0 FROM pg_catalog.pg_namespace WHERE nspname = $1", cancellation, extension.Schema))
            {
                await RunAsync("CREATE SCHEMA %1$I AUTHORIZATION %2$I", [extension.Schema, extension.SchemaOwner]);
                made.Add(new ArchiveItem("SCHEMA", extension.SchemaOid));
            }

            await RunAsync("CREATE EXTENSION IF NOT EXISTS %1$I WITH SCHEMA %2$I VERSION %3$L", [extension.Name, extension.Schema, extension.Version]);
        }

        return made;

        async Task RunAsync(string format, string[] names) =>
            await session.ExecuteAsync((await session.ScalarAsync<string>("SELECT pg_catalog.format($1, VARIADIC $2)", cancellation, format, names))!, cancellation);
    }

    internal static string PackageOf(string extension, int major) =>
        Contrib.Contains(extension) ? string.Create(CultureInfo.InvariantCulture, $"postgresql-contrib")
        : Packages.TryGetValue(extension, out var package) ? string.Format(CultureInfo.InvariantCulture, package, major)
        : string.Create(CultureInfo.InvariantCulture, $"postgresql-{major}-{extension.Replace('_', '-').ToLowerInvariant()}");
}
