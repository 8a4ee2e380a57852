using System.Globalization;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Environments;

/// <summary>A <c>postgresql://</c> URL, read as libpq reads it (PostgreSQL 15 documentation, 34.1.1.2 "Connection URIs").</summary>
/// <remarks>Several hosts are not supported: a migration has one primary, and it is named.</remarks>
public sealed record PostgresUrl
{
    private static readonly string[] Schemes = ["postgresql", "postgres"];

    private static readonly HashSet<string> KnownOptions = new(StringComparer.Ordinal)
    {
        "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "options",
        "target_session_attrs", "keepalives", "keepalives_idle", "passfile", "channel_binding", "gssencmode", "client_encoding",
    };

    /// <summary>Host name, address, or the folder of a Unix socket (it starts with <c>/</c>).</summary>
    public required string Host { get; init; }

    /// <summary>TCP port, or the number in the socket's name.</summary>
    public required int Port { get; init; }

    /// <summary>The database's name.</summary>
    public required string Database { get; init; }

    /// <summary>The role.</summary>
    public required string User { get; init; }

    /// <summary>The password; null where a password file or the server's trust is to provide it.</summary>
    public string? Password { get; init; }

    /// <summary>libpq's other connection options, such as <c>sslmode</c>, by libpq's names.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the server is reached over a Unix socket.</summary>
    public bool IsSocket => Host.StartsWith('/');

    /// <summary>host:port, for people.</summary>
    public string Endpoint => IsSocket ? $"{Host}/.s.PGSQL.{Port}" : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>Without the password: safe for every log.</summary>
    public override string ToString() => $"{User}@{Endpoint}/{Database}";

    /// <summary>Reads a URL. <paramref name="parameter"/> names the switch or variable it came from, for the message.</summary>
    /// <exception cref="BadInputException">The URL cannot be read; the message never repeats it, for it holds a password.</exception>
    public static PostgresUrl Parse(string text, string parameter)
    {
        var url = text.Trim();
        var schemeEnd = url.IndexOf("://", StringComparison.Ordinal);
        var scheme = schemeEnd < 0 ? "" : url[..schemeEnd].ToLowerInvariant();
        if (!Schemes.Contains(scheme.Split('+')[0], StringComparer.Ordinal))
        {
            throw Bad(parameter, schemeEnd < 0 ? "it does not start with a scheme" : $"its scheme is not one of {string.Join(", ", Schemes)}");
        }

        var rest = url[(schemeEnd + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal))
        {
            throw Bad(parameter, "it contains an unescaped '#'; write %23");
        }

        var queryStart = rest.IndexOf('?', StringComparison.Ordinal);
        var query = queryStart < 0 ? "" : rest[(queryStart + 1)..];
        rest = queryStart < 0 ? rest : rest[..queryStart];

        var pathStart = rest.IndexOf('/', StringComparison.Ordinal);
        var database = pathStart < 0 ? "" : Decode(rest[(pathStart + 1)..], parameter);
        var authority = pathStart < 0 ? rest : rest[..pathStart];

        var at = authority.LastIndexOf('@');
        var userInfo = at < 0 ? "" : authority[..at];
        var hostPort = authority[(at + 1)..];
        if (userInfo.Contains('@', StringComparison.Ordinal))
        {
            throw Bad(parameter, "it contains more than one '@'; write %40 in the user or the password");
        }

        var colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        var user = Decode(colon < 0 ? userInfo : userInfo[..colon], parameter);
        var password = colon < 0 ? null : Decode(userInfo[(colon + 1)..], parameter);
        var (host, port) = SplitHost(hostPort, parameter);

        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw Bad(parameter, "a part behind '?' is not of the form name=value");
            }

            var name = Decode(pair[..equals], parameter);
            var value = Decode(pair[(equals + 1)..], parameter);
            switch (name)
            {
                case "host": host = value; break;
                case "port": port = ReadPort(value, parameter); break;
                case "user": user = value; break;
                case "password": password = value; break;
                case "dbname": database = value; break;
                case "ssl" when value == "true": options["sslmode"] = "require"; break;
                default:
                    if (!KnownOptions.Contains(name))
                    {
                        throw Bad(parameter, $"its option '{name}' is not one of libpq's that are supported ({string.Join(", ", KnownOptions.Order(StringComparer.Ordinal))})");
                    }

                    options[name] = value;
                    break;
            }
        }

        if (user.Length == 0)
        {
            throw Bad(parameter, "it names no user");
        }

        if (host.Length == 0)
        {
            throw Bad(parameter, "it names no host; for a Unix socket write ?host=/folder");
        }

        if (host.Contains(',', StringComparison.Ordinal))
        {
            throw Bad(parameter, "it names several hosts; name the primary");
        }

        return new PostgresUrl { Host = host, Port = port ?? 5432, User = user, Password = password, Database = database.Length == 0 ? user : database, Options = options };
    }

    /// <summary>The URL with the password, percent-encoded, for a child's environment; never for a log.</summary>
    /// <param name="scheme">The scheme that the reader wants, such as <c>postgresql+psycopg2</c>.</param>
    public string ToSecretUrl(string scheme = "postgresql")
    {
        var password = Password is null ? "" : ":" + Uri.EscapeDataString(Password);
        var authority = IsSocket ? "" : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
        var options = Options.Select(option => (option.Key, option.Value));
        if (IsSocket)
        {
            options = options.Prepend(("port", Port.ToString(CultureInfo.InvariantCulture))).Prepend(("host", Host));
        }

        var query = string.Join('&', options.Select(option => $"{option.Item1}={Uri.EscapeDataString(option.Item2)}"));
        return $"{scheme}://{Uri.EscapeDataString(User)}{password}@{authority}/{Uri.EscapeDataString(Database)}{(query.Length > 0 ? "?" + query : "")}";
    }

    /// <summary>The variables that libpq's tools read, without the password (that goes through a password file; see <c>PasswordFile</c>).</summary>
    public IReadOnlyDictionary<string, string> ToLibpqEnvironment()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PGHOST"] = Host,
            ["PGPORT"] = Port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = User,
            ["PGDATABASE"] = Database,
        };
        foreach (var (name, value) in Options)
        {
            var variable = name switch
            {
                "sslmode" => "PGSSLMODE",
                "sslrootcert" => "PGSSLROOTCERT",
                "sslcert" => "PGSSLCERT",
                "sslkey" => "PGSSLKEY",
                "connect_timeout" => "PGCONNECT_TIMEOUT",
                "options" => "PGOPTIONS",
                "target_session_attrs" => "PGTARGETSESSIONATTRS",
                "passfile" => "PGPASSFILE",
                "channel_binding" => "PGCHANNELBINDING",
                "gssencmode" => "PGGSSENCMODE",
                "client_encoding" => "PGCLIENTENCODING",
                "application_name" => "PGAPPNAME",
                _ => null,
            };
            if (variable is not null)
            {
                variables[variable] = value;
            }
        }

        return variables;
    }

    private static (string Host, int? Port) SplitHost(string hostPort, string parameter)
    {
        if (hostPort.StartsWith('['))
        {
            var end = hostPort.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
            {
                throw Bad(parameter, "an IPv6 address has no closing ']'");
            }

            var tail = hostPort[(end + 1)..];
            return (hostPort[1..end], tail.StartsWith(':') ? ReadPort(tail[1..], parameter) : null);
        }

        var colon = hostPort.LastIndexOf(':');
        var host = Decode(colon < 0 ? hostPort : hostPort[..colon], parameter);
        return (host, colon < 0 || colon == hostPort.Length - 1 ? null : ReadPort(hostPort[(colon + 1)..], parameter));
    }

    private static int ReadPort(string text, string parameter) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw Bad(parameter, "its port is not a number from 1 to 65535 (a ':' '/' or '@' in the password has to be written as %3A, %2F, %40)");

    private static string Decode(string text, string parameter)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                throw Bad(parameter, "a '%' in it is not followed by two hexadecimal digits; write %25 for the character itself");
            }
        }

        var decoded = Uri.UnescapeDataString(text);
        return decoded.Contains('\0', StringComparison.Ordinal) ? throw Bad(parameter, "it contains a zero byte (%00)") : decoded;
    }

    private static BadInputException Bad(string parameter, string why) => new(
        $"{parameter} is not a PostgreSQL URL.",
        why,
        "give it as postgresql://user:password@host:5432/database, with special characters percent-encoded");
}
