using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Serilog;

namespace Aragora.Runbook.Tooling;

/// <summary>A virtual environment of this checkout with pinned requirements: <c>.nuke/temp/python-&lt;hash of requirements&gt;</c>. Built aside and renamed, so that nobody sees half of one.</summary>
internal sealed class VirtualEnvironment(ICommandRunner commands, ILogger log, PythonToolsOptions options)
{
    /// <summary>The requirements.</summary>
    public string RequirementsFile { get; } = options.RequirementsFile ?? Path.Combine(options.Root, "migrations", "requirements.txt");

    /// <summary>What came of it, for a message.</summary>
    public string Outcome { get; private set; } = "no virtual environment was tried";

    /// <summary>Its interpreter; null where it cannot be made, which is told in the log.</summary>
    public async Task<string?> EnsureAsync(IEnumerable<string> interpreters, CancellationToken cancellation)
    {
        if (!File.Exists(RequirementsFile))
        {
            return Fail($"no virtual environment, for there is no {RequirementsFile}");
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(RequirementsFile, cancellation)).ReplaceLineEndings("\n"))))[..16];
        var folder = Path.Combine(options.Root, ".nuke", "temp", $"python-{hash}");
        if (File.Exists(InterpreterOf(folder)))
        {
            return InterpreterOf(folder);
        }

        var parent = Path.GetDirectoryName(folder)!;
        OwnedFolder.Sweep(parent, "python-*.partial");
        using var partial = OwnedFolder.Reserve($"{folder}.{Guid.NewGuid():N}.partial");
        return await BuildAsync(interpreters, folder, partial.Path, cancellation);
    }

    private static string InterpreterOf(string folder) => OperatingSystem.IsWindows() ? Path.Combine(folder, "Scripts", "python.exe") : Path.Combine(folder, "bin", "python");

    private async Task<string?> BuildAsync(IEnumerable<string> interpreters, string folder, string partial, CancellationToken cancellation)
    {
        log.Information("Installing {Requirements} into a virtual environment, {Folder}", RequirementsFile, folder);
        string? complaint = null;
        foreach (var interpreter in interpreters)
        {
            var made = await TryRunAsync(interpreter, ["-m", "venv", partial], cancellation);
            if (made.Succeeded)
            {
                complaint = null;
                break;
            }

            complaint ??= made.Tail(3);
        }

        if (complaint is not null || !File.Exists(InterpreterOf(partial)))
        {
            return Fail($"no virtual environment could be made ({complaint ?? "there is no Python"})");
        }

        var installed = await TryRunAsync(
            InterpreterOf(partial),
            ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15", "--requirement", RequirementsFile],
            cancellation);
        if (!installed.Succeeded)
        {
            return Fail($"pip could not install {RequirementsFile}: {installed.Tail(2).ReplaceLineEndings(" ")}");
        }

        try
        {
            Directory.Move(partial, folder);
        }
        catch (IOException) when (File.Exists(InterpreterOf(folder)))
        {
            log.Debug("Another process made {Folder} first", folder);
        }

        Outcome = $"in {folder} it does not work";
        return InterpreterOf(folder);
    }

    private async Task<CommandResult> TryRunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.PipPatience);
        try
        {
            var variables = new Dictionary<string, string?>(options.PipEnvironment, StringComparer.Ordinal) { ["PYTHONUTF8"] = "1" };
            return await commands.RunAsync(new Command { Program = program, Arguments = arguments, Environment = variables }, cancellation: patience.Token);
        }
        catch (FailedCleanException notStarted)
        {
            return new CommandResult(-1, "", notStarted.Why, TimeSpan.Zero);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new CommandResult(-1, "", $"not done within {options.PipPatience}", options.PipPatience);
        }
    }

    private string? Fail(string outcome)
    {
        Outcome = outcome;
        log.Information("Not from a registry: {Outcome}", outcome);
        return null;
    }
}
