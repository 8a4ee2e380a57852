namespace Aragora.Runbook.Servers;

/// <summary>What a throwaway server is made of.</summary>
public sealed record ThrowawayServerOptions
{
    /// <summary>Everything the server writes lies below this folder; it must be enterable by the unprivileged user.</summary>
    public required string Folder { get; init; }

    /// <summary>The server's settings beside our own, such as <c>shared_buffers</c>. Where it listens is not up for choice.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Locale of the new cluster. Default: <c>C.UTF-8</c>.</summary>
    public string Locale { get; init; } = "C.UTF-8";

    /// <summary>Taken where this machine lacks <see cref="Locale"/> (macOS has no C.UTF-8). Default: none, a missing locale is refused by name.</summary>
    public string? FallbackLocale { get; init; }

    /// <summary>Encoding of the new cluster. Default: UTF8.</summary>
    public string Encoding { get; init; } = "UTF8";

    /// <summary>Whether it listens on a socket in its folder and on no port: whoever may not enter the folder may not even try. Default: 127.0.0.1. Not on Windows, and not for a container.</summary>
    public bool OnSocket { get; init; }

    /// <summary>Cuts the server off from every network; it has to be <see cref="OnSocket"/>. Default: it may reach what this machine reaches.</summary>
    public NetworkIsolation? Isolation { get; init; }

    /// <summary>Locales that are made in the server's folder, and all that the server then has beside C and C.UTF-8. Default: none, it has the machine's.</summary>
    public IReadOnlyList<LocaleSource> OwnLocales { get; init; } = [];

    /// <summary>How long it may take to start or stop. Default: 60 seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    internal string DataFolder => Path.Combine(Folder, "data");

    internal string LocaleFolder => Path.Combine(Folder, "locales");

    internal string LogFile => Path.Combine(Folder, "server.log");

    internal string LockFile => Path.TrimEndingDirectorySeparator(Folder) + ".lock";

    /// <summary>The settings of every throwaway server: nothing survives the machine's crash, no other machine reaches it.</summary>
    /// <remarks>synchronous_commit stays on: without fsync it costs nothing, and off it loses the last commits when the server alone is killed.</remarks>
    internal IReadOnlyDictionary<string, string> AllSettings(string listenAddresses, string port)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["fsync"] = "off",
            ["full_page_writes"] = "off",
            ["logging_collector"] = "off",
            ["max_wal_senders"] = "0",
            ["wal_level"] = "minimal",
            ["max_prepared_transactions"] = "10",
            ["lc_messages"] = "C",
        };
        if (!OperatingSystem.IsWindows())
        {
            // Not in /dev/shm: containers give that 64 MB, and a killed server's segments would outlive the erased folder.
            settings["dynamic_shared_memory_type"] = "mmap";
        }

        foreach (var (name, value) in Settings)
        {
            settings[name] = value;
        }

        settings["listen_addresses"] = listenAddresses;
        settings["port"] = port;
        settings["unix_socket_directories"] = OnSocket ? Folder : "";
        return settings;
    }
}
