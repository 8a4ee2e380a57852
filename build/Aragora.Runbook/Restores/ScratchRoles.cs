using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Restores;

/// <summary>Stubs for the roles that a dump names: nobody can log in as one. Rights are theirs as far as a restore works with them: a materialized view is filled, and an index built, with its owner's rights.</summary>
/// <param name="session">A session that may make roles.</param>
/// <param name="withSuperusers">Whether superusers of the source are superusers there as well: on a server that is erased, not on one that somebody named.</param>
internal sealed class ScratchRoles(PostgresSession session, bool withSuperusers)
{
    private const string ReadsEverything = "pg_read_all_data";

    /// <summary>Makes those that are missing; those that are there are left as they are.</summary>
    /// <returns>The names of those that were made.</returns>
    public async Task<IReadOnlyList<string>> CreateAsync(IReadOnlyList<SourceRole> roles, string comment, CancellationToken cancellation)
    {
        var there = (await session.QueryAsync("SELECT rolname::text FROM pg_catalog.pg_roles", row => row.GetString(0), cancellation)).ToHashSet(StringComparer.Ordinal);
        var missing = roles.Where(role => !there.Contains(role.Name)).ToList();
        there.UnionWith(missing.Select(role => role.Name));
        foreach (var role in missing)
        {
            var rights = (withSuperusers && role.IsSuperuser ? " SUPERUSER" : "") + (withSuperusers && role.BypassesRowSecurity ? " BYPASSRLS" : "");
            await RunAsync($"CREATE ROLE %1$I NOLOGIN{rights}; COMMENT ON ROLE %1$I IS %2$L", [role.Name, comment], cancellation);
        }

        foreach (var role in missing)
        {
            foreach (var group in Groups(role).Where(there.Contains))
            {
                await RunAsync("GRANT %1$I TO %2$I", [group, role.Name], cancellation);
            }
        }

        return [.. missing.Select(role => role.Name)];
    }

    private IEnumerable<string> Groups(SourceRole role) =>
        withSuperusers ? role.Inherits : role.IsSuperuser ? role.Inherits.Append(ReadsEverything).Distinct(StringComparer.Ordinal) : role.Inherits;

    private async Task RunAsync(string format, string[] names, CancellationToken cancellation) =>
        await session.ExecuteAsync((await session.ScalarAsync<string>("SELECT pg_catalog.format($1, VARIADIC $2)", cancellation, format, names))!, cancellation);
}
