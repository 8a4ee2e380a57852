using Aragora.Runbook.Environments;
using Npgsql;

namespace Aragora.Runbook.Adapters.Postgres;

/// <summary>From libpq's URL to Npgsql's connection string: the one place that knows both vocabularies.</summary>
public static class ConnectionStrings
{
    /// <summary>Unpooled, with TCP keep-alive, so that a server that went away without a word is noticed within a minute.</summary>
    public static string Build(PostgresUrl url, string applicationName, string? database, IReadOnlyDictionary<string, string>? settings, TimeSpan connectTimeout)
    {
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host,
            Port = url.Port,
            Username = url.User,
            Password = url.Password,
            Database = database ?? url.Database,
            ApplicationName = applicationName,
            Pooling = false,
            Multiplexing = false,
            Enlist = false,
            KeepAlive = 15,
            TcpKeepAlive = true,
            CommandTimeout = 0,
            Timeout = (int)Math.Ceiling(connectTimeout.TotalSeconds),
            IncludeErrorDetail = false, // Details hold values of rows; they would end up in logs.
            PersistSecurityInfo = false,
        };

        // Built-in types are all that we read; loading the user's own fails where a range's name has 63 bytes, and costs every session its time.
#pragma warning disable CS0618 // The data source that it asks for instead would be one more thing to dispose of behind each session.
        builder.ServerCompatibilityMode = ServerCompatibilityMode.NoTypeLoading;
#pragma warning restore CS0618

        if (url.Options.TryGetValue("sslmode", out var mode))
        {
            builder.SslMode = mode switch
            {
                "disable" => SslMode.Disable,
                "allow" => SslMode.Allow,
                "prefer" => SslMode.Prefer,
                "require" => SslMode.Require,
                "verify-ca" => SslMode.VerifyCA,
                "verify-full" => SslMode.VerifyFull,
                _ => throw new Outcomes.BadInputException($"sslmode={mode} is not one of libpq's.", "", "use disable, allow, prefer, require, verify-ca or verify-full"),
            };
        }

        builder.RootCertificate = url.Options.GetValueOrDefault("sslrootcert");
        builder.SslCertificate = url.Options.GetValueOrDefault("sslcert");
        builder.SslKey = url.Options.GetValueOrDefault("sslkey");
        builder.Passfile = url.Options.GetValueOrDefault("passfile");
        var fromUrl = url.Options.GetValueOrDefault("options");
        var ours = settings is null ? "" : string.Join(' ', settings.Select(setting => $"-c {setting.Key}={Escaped(setting.Value)}"));
        builder.Options = string.Join(' ', new[] { fromUrl, ours }.Where(part => !string.IsNullOrEmpty(part)));
        return builder.ConnectionString;
    }

    /// <summary>Backslash before spaces and backslashes, as the server's <c>options</c> wants it.</summary>
    private static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(" ", "\\ ", StringComparison.Ordinal);
}
