namespace Aragora.Runbook.Environments;

/// <summary>A database named by what it is, not by what it is called.</summary>
/// <param name="SystemIdentifier">The cluster's identifier from <c>pg_control_system()</c>, decimal; shared by physical clones.</param>
/// <param name="Timeline">The cluster's timeline: that of the WAL it writes; on a standby, that of its last restartpoint.</param>
/// <param name="DatabaseOid">The database's OID in <c>pg_database</c>.</param>
/// <param name="DatabaseName">The database's name.</param>
/// <param name="Endpoint">host:port as it was reached.</param>
/// <param name="EnvironmentId">The configured id that tells a physical clone from its original, or null.</param>
public sealed record DatabaseIdentity(
    string SystemIdentifier,
    int Timeline,
    uint DatabaseOid,
    string DatabaseName,
    string Endpoint,
    string? EnvironmentId = null)
{
    /// <summary>Whether both name the same database. The endpoint may differ: a database can be reached by several names.</summary>
    public bool IsSameDatabaseAs(DatabaseIdentity other) =>
        SystemIdentifier == other.SystemIdentifier && DatabaseOid == other.DatabaseOid && DatabaseName == other.DatabaseName && EnvironmentId == other.EnvironmentId;

    /// <summary>For messages: name, endpoint, and the last digits of the system identifier.</summary>
    public override string ToString() => $"{DatabaseName} at {Endpoint} (system …{SystemIdentifier[^Math.Min(6, SystemIdentifier.Length)..]}, oid {DatabaseOid})";
}
