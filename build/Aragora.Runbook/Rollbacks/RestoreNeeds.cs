using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>What the live server lacks for a copy of a backup's source: what VerifyBackup brings to its scratch server, and nobody may bring to a live one unasked.</summary>
/// <param name="session">A session of the maintenance database, as the role that restores.</param>
/// <param name="shape">The backup's source.</param>
internal sealed class RestoreNeeds(PostgresSession session, SourceShape shape)
{
    /// <summary>Roles of managed services that make extensions which PostgreSQL itself leaves to superusers; which ones, only trying tells.</summary>
    private static readonly string[] ProvidersAdministrators = ["rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin"];

    /// <summary>Everything that is missing, each with what to do.</summary>
    public async Task<IReadOnlyList<RestoreLack>> FindAsync(CancellationToken cancellation)
    {
        var me = (await session.QueryAsync(
            "SELECT r.rolname::text, r.rolsuper, EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.rolname = ANY ($1) AND pg_catalog.pg_has_role(a.oid, 'MEMBER')) FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
            row => new Restorer(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)),
            cancellation,
            (object)ProvidersAdministrators))[0];
        return [.. await RolesAsync(me, cancellation), .. await ExtensionsAsync(me, cancellation), .. await CollationsAsync(me, cancellation), .. await MonetaryAsync(cancellation)];
    }

    /// <summary>Roles that the dump may name and that are gone, but which it need not name: groups of others, and whatever a column of type regrole may hold.</summary>
    public async Task<IReadOnlyList<string>> GoneAndPerhapsNamedAsync(CancellationToken cancellation)
    {
        var there = await MembershipsAsync(cancellation);
        return [.. shape.Roles.Where(role => !role.IsNamed && !there.ContainsKey(role.Name)).Select(role => SqlText.Identifier(role.Name))];
    }

    private async Task<IEnumerable<RestoreLack>> RolesAsync(Restorer me, CancellationToken cancellation)
    {
        var there = await MembershipsAsync(cancellation);
        return Lacks().ToList();

        IEnumerable<RestoreLack> Lacks()
        {
            foreach (var role in shape.Roles.Where(role => role.IsNamed))
            {
                var name = SqlText.Identifier(role.Name);
                var grant = $"GRANT {name} TO {SqlText.Identifier(me.Name)};";
                if (!there.TryGetValue(role.Name, out var isMember))
                {
                    yield return new RestoreLack($"role {name}", $"the backup names role {name}, which was dropped or renamed since", $"CREATE ROLE {name} NOLOGIN;{(role.Owns && !me.IsSuperuser ? " " + grant : "")}");
                }
                else if (role.Owns && !isMember)
                {
                    yield return new RestoreLack($"membership in {name}", $"{name} owns some of what is restored, and {SqlText.Identifier(me.Name)} may not give it to that role", grant);
                }
            }
        }
    }

    private async Task<IReadOnlyDictionary<string, bool>> MembershipsAsync(CancellationToken cancellation)
    {
        // Since 16 a member gives away only what it may SET ROLE to.
        var privilege = session.ServerVersion.Major >= 16 ? "SET" : "MEMBER";
        return (await session.QueryAsync("SELECT rolname::text, pg_catalog.pg_has_role(oid, $1) FROM pg_catalog.pg_roles", row => (Name: row.GetString(0), IsMember: row.GetBoolean(1)), cancellation, privilege))
            .ToDictionary(role => role.Name, role => role.IsMember, StringComparer.Ordinal);
    }

    private async Task<IEnumerable<RestoreLack>> ExtensionsAsync(Restorer me, CancellationToken cancellation)
    {
        var available = await session.QueryAsync(
            "SELECT v.name::text, v.version, v.superuser AND NOT coalesce((pg_catalog.to_jsonb(v) ->> 'trusted')::boolean, false) FROM pg_catalog.pg_available_extension_versions v",
            row => (Name: row.GetString(0), Version: row.GetString(1), WantsSuperuser: row.GetBoolean(2)),
            cancellation);
        return Lacks().ToList();

        IEnumerable<RestoreLack> Lacks()
        {
            foreach (var extension in shape.Extensions)
            {
                var versions = available.Where(found => found.Name == extension.Name).ToList();
                if (!versions.Exists(found => found.Version == extension.Version))
                {
                    yield return new RestoreLack(
                        $"extension {extension.Name} {extension.Version}",
                        versions.Count == 0 ? $"{extension.Name} is not installed" : $"{extension.Name} is there in {string.Join(", ", versions.Select(found => found.Version).Order(StringComparer.Ordinal))}",
                        $"on the server's machine: apt-get install {ScratchExtensions.PackageOf(extension.Name, session.ServerVersion.Major)} (look with -s first: it may upgrade the server, and restart it); or name a backup with --backup that was made since the extension was updated");
                }
                else if (!me.IsSuperuser && !me.IsProvidersAdministrator && versions.Exists(found => found.Version == extension.Version && found.WantsSuperuser))
                {
                    yield return new RestoreLack(
                        $"the right to make extension {extension.Name}",
                        $"{extension.Name} {extension.Version} is not trusted: only a superuser makes it, and {SqlText.Identifier(me.Name)} is none",
                        "let a superuser run the command (or, on a managed service, its administrator, such as rds_superuser)");
                }
            }
        }
    }

    /// <summary>A copy is made of template0, which has the collations that initdb made and none that were imported into a database later.</summary>
    private async Task<IEnumerable<RestoreLack>> CollationsAsync(Restorer me, CancellationToken cancellation)
    {
        if (me.IsSuperuser)
        {
            // Makes them in the copy, as in a scratch database.
            return [];
        }

        // initdb's have OIDs below 16384, here as in template0, which lets nobody in.
        var ofTemplate = (await session.QueryAsync("SELECT collname::text FROM pg_catalog.pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace AND oid < 16384", row => row.GetString(0), cancellation)).ToHashSet(StringComparer.Ordinal);
        return shape.Collations.Where(collation => collation.IsOfCluster && !ofTemplate.Contains(collation.Name)).Select(collation => new RestoreLack(
            $"collation pg_catalog.{SqlText.Identifier(collation.Name)}",
            $"collation {SqlText.Identifier(collation.Name)} was imported into pg_catalog after the server was made: a new database does not have it, and only a superuser makes it there",
            "let a superuser run the command"));
    }

    private async Task<IEnumerable<RestoreLack>> MonetaryAsync(CancellationToken cancellation)
    {
        if (shape.Monetary is null)
        {
            return [];
        }

        try
        {
            // Of its own transaction: nothing stays set.
            await session.ScalarAsync<string>("SELECT pg_catalog.set_config('lc_monetary', $1, true)", cancellation, shape.Monetary);
            return [];
        }
        catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            return [new RestoreLack($"locale {shape.Monetary}", $"the backup writes money as lc_monetary = {SqlText.Literal(shape.Monetary)} does, and the server does not know that locale", "install that locale on the server's machine (on Debian: apt-get install locales && localedef), and restart the server")];
        }
    }

    private sealed record Restorer(string Name, bool IsSuperuser, bool IsProvidersAdministrator);
}

/// <summary>One thing that a restore needs and the live server does not have.</summary>
/// <param name="What">What it is.</param>
/// <param name="Why">Why it is needed, or not there.</param>
/// <param name="Next">What to type.</param>
internal sealed record RestoreLack(string What, string Why, string Next);
