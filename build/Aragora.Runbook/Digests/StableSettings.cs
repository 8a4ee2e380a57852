using System.Globalization;
using Aragora.Runbook.Adapters.Postgres;

namespace Aragora.Runbook.Digests;

/// <summary>Settings under which the same value has the same text on every server, and under which a session is not ended for being slow.</summary>
public static class StableSettings
{
    /// <summary>What has to hold while the session connects already: a timeout of the database's or the role's own may be shorter than that takes.</summary>
    public static IReadOnlyDictionary<string, string> AtConnect { get; } = new Dictionary<string, string>(StringComparer.Ordinal) { ["statement_timeout"] = "0" };

    private static readonly (string Name, string Value)[] All =
    [
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("idle_session_timeout", "0"),
        ("transaction_timeout", "0"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "3"),
        ("bytea_output", "hex"),
        ("xmlbinary", "base64"),
        ("xmloption", "content"),
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("search_path", ""),
        ("row_security", "off"),
        ("standard_conforming_strings", "on"),
        ("quote_all_identifiers", "off"),
        ("jit", "off"),
    ];

    /// <summary>Sets them in a session that is in no transaction. What a server of this version does not know is left out.</summary>
    /// <param name="session">The session.</param>
    /// <param name="lockTimeout">How long a lock is waited for; zero: for ever.</param>
    /// <param name="cancellation">Cancels.</param>
    public static async Task ApplyAsync(PostgresSession session, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        var names = All.Select(setting => setting.Name).Append("lock_timeout").ToArray();
        var values = All.Select(setting => setting.Value).Append(string.Create(CultureInfo.InvariantCulture, $"{lockTimeout.TotalMilliseconds:0}")).ToArray();
        await session.ExecuteAsync(
            """
            SELECT pg_catalog.set_config(wanted.name, wanted.value, false)
            FROM unnest($1, $2) AS wanted(name, value)
            WHERE EXISTS (SELECT FROM pg_catalog.pg_settings known WHERE pg_catalog.lower(known.name) = pg_catalog.lower(wanted.name))
            """,
            cancellation,
            names,
            values);
    }
}
