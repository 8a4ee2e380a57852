using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Environments;

/// <summary>What a URL may ask for where its host becomes the near end of a port-forward.</summary>
public static class PortForwardRoute
{
    /// <summary>Refuses what cannot hold there.</summary>
    /// <exception cref="BadInputException">The server's certificate would be compared with 127.0.0.1, or the URL names a socket.</exception>
    public static void RequirePossible(DatabaseEnvironment environment)
    {
        var name = environment.Name.ToString().ToLowerInvariant();
        if (environment.Database.Options.GetValueOrDefault("sslmode") == "verify-full")
        {
            throw new BadInputException(
                $"sslmode=verify-full in {environment.UrlVariable} does not go with --{name}-port-forward.",
                "it compares the server's certificate with the host that is connected to, and that is 127.0.0.1 here",
                "write sslmode=verify-ca with sslrootcert: the certificate's issuer is checked still, and which pod it is, the API server sees to over TLS of its own");
        }

        if (environment.Database.IsSocket)
        {
            throw new BadInputException($"{environment.UrlVariable} names a Unix socket, and --{name}-port-forward a pod.", "the database is reached by one of the two", "leave out one of them");
        }
    }
}
