using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>The folder of a throwaway server: made by <c>initdb</c>, whole or not at all, and erased.</summary>
internal sealed class Cluster(ServerBinaries binaries, UnprivilegedUser user, ThrowawayServerOptions options, ICommandRunner commands)
{
    public const string Superuser = "aragora_admin";

    private static readonly string[] OurEntries = ["data", "locales", "server.json", "server.json.partial", "server.log", "initial-password"];

    /// <summary>Major version of the data; null where there is none.</summary>
    public int? Major()
    {
        var file = Path.Combine(options.DataFolder, "PG_VERSION");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), out var major) ? major : null;
    }

    /// <summary>Erases what an interrupted start, or a server of another version, left behind.</summary>
    /// <exception cref="BadInputException">The folder is somebody else's, or holds something that no throwaway server wrote.</exception>
    public async Task ClearAsync(CancellationToken cancellation)
    {
        if (!Directory.Exists(options.Folder))
        {
            return;
        }

        await RefuseForeignAsync(cancellation);
        await new PostmasterProcess(options.DataFolder).EndAsync(keepsData: false, options.Patience, cancellation);
        Directory.Delete(options.Folder, recursive: true);
    }

    /// <summary>Refuses a folder that is not ours.</summary>
    public async Task RefuseForeignAsync(CancellationToken cancellation)
    {
        var foreign = Directory.EnumerateFileSystemEntries(options.Folder).Select(Path.GetFileName).Except(OurEntries, StringComparer.Ordinal)
            .FirstOrDefault(entry => !entry!.StartsWith(".s.PGSQL.", StringComparison.Ordinal));
        if (foreign is not null)
        {
            throw new BadInputException($"{options.Folder} is not the folder of a throwaway server.", $"it holds \"{foreign}\"", "name an empty folder, or one that does not exist");
        }

        if (!OperatingSystem.IsWindows() && !await user.OwnsAsync(options.Folder, commands, cancellation))
        {
            throw new BadInputException($"{options.Folder} belongs to somebody else, or is a link.", "a server in it would answer to them", "name another folder, or have its owner remove this one");
        }
    }

    /// <summary>Makes the cluster.</summary>
    /// <exception cref="BadInputException">The locale is missing here and there is no fallback, or the user cannot enter the folder.</exception>
    public async Task<ServerState> MakeAsync(CancellationToken cancellation)
    {
        var password = ServerState.NewPassword();
        var locale = options.Locale;
        try
        {
            var result = await InitializeAsync(locale, password, cancellation);
            if (LacksLocale(result) && options.FallbackLocale is { } fallback)
            {
                Directory.Delete(options.Folder, recursive: true);
                locale = fallback;
                result = await InitializeAsync(locale, password, cancellation);
            }

            if (LacksLocale(result))
            {
                throw new BadInputException($"This machine lacks the locale \"{locale}\".", result.Tail(3), $"install it (on Debian: localedef, or the package locales), then repeat the command");
            }

            if (!result.Succeeded)
            {
                throw new FailedCleanException("initdb could not make a throwaway PostgreSQL server.", result.Tail(), $"look at the disk of {options.Folder}, then repeat the command");
            }

            File.Delete(Path.Combine(options.Folder, "initial-password"));
            await MakeLocalesAsync(cancellation);
            var state = new ServerState { Password = password, Major = binaries.Major, Locale = locale, OnSocket = options.OnSocket };
            await state.WriteAsync(options.Folder, cancellation);
            return state;
        }
        catch
        {
            if (Directory.Exists(options.Folder))
            {
                Directory.Delete(options.Folder, recursive: true);
            }

            throw;
        }
    }

    private async Task MakeLocalesAsync(CancellationToken cancellation)
    {
        foreach (var source in options.OwnLocales)
        {
            var made = await commands.RunAsync(
                user.As(new Command
                {
                    Program = "sh",
                    Arguments = ["-c", "mkdir -p \"$1\" && exec localedef -i \"$2\" -f \"$3\" \"$1/$4\"", "sh", options.LocaleFolder, source.Definition, source.Charmap, source.FolderName],
                    WorkingDirectory = options.Folder,
                }),
                cancellation: cancellation);
            if (!made.Succeeded)
            {
                throw new RefusedException($"The locale \"{source.Name}\" could not be made for a throwaway server.", made.Tail(3), $"localedef -i {source.Definition} -f {source.Charmap} {source.Name}   makes it for the whole machine");
            }
        }
    }

    private static bool LacksLocale(CommandResult result) =>
        !result.Succeeded && (result.Error.Contains("invalid locale", StringComparison.Ordinal) || result.Error.Contains("locale name", StringComparison.Ordinal));

    private async Task<CommandResult> InitializeAsync(string locale, string password, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        var passwordFile = Path.Combine(options.Folder, "initial-password");
        await PrivateFile.WriteAsync(passwordFile, password, cancellation);
        if (!OperatingSystem.IsWindows())
        {
            await user.TakeOverAsync(options.Folder, commands, cancellation);
        }

        var initialize = new Command
        {
            Program = binaries["initdb"],
            Arguments =
            [
                "--pgdata", options.DataFolder, "--username", Superuser, "--auth", "scram-sha-256", "--pwfile", passwordFile,
                "--encoding", options.Encoding, "--locale", locale, "--lc-messages", "C", "--no-sync", "--no-instructions",
            ],
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LC_ALL"] = null, ["LANG"] = null, ["LANGUAGE"] = null },
            WorkingDirectory = options.Folder,
        };
        return await commands.RunAsync(user.As(initialize), cancellation: cancellation);
    }
}
