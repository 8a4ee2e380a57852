using System.Net.Sockets;
using System.Security.Authentication;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Adapters.Postgres;

/// <summary>Why a connection failed, told apart.</summary>
public static class ConnectionFailures
{
    /// <summary>The message for people; the technical cause stays inside.</summary>
    public static BadInputException Explain(DatabaseEnvironment environment, string database, Exception failure)
    {
        var url = environment.Database;
        var where = $"{environment.DisplayName} database \"{database}\" at {environment.Endpoint}";
        var parameter = environment.UrlVariable;
        var (why, next) = failure switch
        {
            not PostgresException when environment.Route?.Failure is { } broken => ($"{broken.What} {broken.Why}", broken.Next),
            PostgresException { SqlState: "28P01" } => ($"the server refused the password of role \"{url.User}\"", $"check the password in {parameter} (special characters percent-encoded)"),
            PostgresException { SqlState: "28000" } refused => ($"the server refused the login of role \"{url.User}\": {refused.MessageText}", $"check the role in {parameter} and the server's pg_hba.conf"),
            PostgresException { SqlState: "3D000" } => ($"there is no database of that name on this server", $"check the name in {parameter}; psql -l lists what is there"),
            PostgresException { SqlState: "53300" } full => ($"the server has no connection left: {full.MessageText}", "end idle sessions (SELECT pid, usename, application_name, state FROM pg_stat_activity), or raise max_connections"),
            PostgresException { SqlState: "57P03" } starting => ($"the server is up but not ready: {starting.MessageText}", "wait for it, then repeat the command"),
            PostgresException { SqlState: "55000" } => ("it lets nobody in (ALLOW_CONNECTIONS false): a restore is exchanging it, or was killed on the way; or somebody closed it", "./build.sh Status   says which, and what to type"),
            PostgresException { SqlState: "42501" } denied => ($"role \"{url.User}\" may not connect: {denied.MessageText}", $"GRANT CONNECT ON DATABASE to the role, or name another in {parameter}"),
            PostgresException other => ($"the server answered {other.SqlState}: {other.MessageText}", $"check {parameter}"),
            _ when Find<SocketException>(failure) is { } socket => Network(socket, url, parameter),
            _ when Find<AuthenticationException>(failure) is { } tls => ($"TLS failed: {tls.Message}", $"check sslmode and sslrootcert in {parameter}"),
            _ when Find<TimeoutException>(failure) is not null => ("it did not answer in time: a firewall, a wrong address, or an overloaded server", $"check {parameter} and the network path"),
            _ when failure.Message.Contains("No password has been provided", StringComparison.Ordinal) => ("the server asks for a password and none was given", $"put it in {parameter}, or in a 0600 password file named by ?passfile="),
            _ => (failure.Message, $"check {parameter}"),
        };
        return new BadInputException($"The {where} cannot be reached.", why, next, failure);
    }

    private static (string Why, string Next) Network(SocketException socket, PostgresUrl url, string parameter) => socket.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => ($"the host \"{url.Host}\" is unknown", $"check the host in {parameter}, or the name servers"),
        SocketError.ConnectionRefused => ("nothing listens there: the server is down, or the port is wrong", $"start the server, or check host and port in {parameter}"),
        SocketError.TimedOut => ("it did not answer in time: a firewall, or a wrong address", $"check {parameter} and the network path"),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => ("there is no route to it", "check the network, the VPN, the security group"),
        _ => (socket.Message, $"check {parameter}"),
    };

    private static T? Find<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
            {
                return found;
            }
        }

        return null;
    }
}
