using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.LocalStack;

/// <summary>The local stack's application (Aragora.LocalApi): started, found again, ended.</summary>
/// <param name="run">The run.</param>
/// <param name="folder">Its configuration, state and log lie here.</param>
internal sealed class LocalApiProcess(RunContext run, string folder)
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private string ConfigurationFile => Path.Combine(folder, "api.config.json");

    private string StateFile => Path.Combine(folder, "api.json");

    private string LogFile => Path.Combine(folder, "api.log");

    /// <summary>Where an environment's health is asked; null where the application was never started.</summary>
    public async Task<Uri?> HealthAsync(TargetEnvironment name, CancellationToken cancellation) =>
        await ReadStateAsync(cancellation) is { } state ? new Uri($"http://127.0.0.1:{state.Port}/{Key(name)}/health") : null;

    /// <summary>Whether the very process that we started answers, healthy or not; a stranger on its port does not count.</summary>
    public async Task<bool> IsRunningAsync(CancellationToken cancellation) => await ReadStateAsync(cancellation) is { } state && await IsOursAsync(state, cancellation) && await AnswersAsync(state, cancellation);

    /// <summary>Starts it unless it runs with this very configuration.</summary>
    /// <exception cref="FailedCleanException">It does not come up within 30 seconds.</exception>
    public async Task EnsureAsync(IReadOnlyList<DatabaseEnvironment> environments, CancellationToken cancellation)
    {
        var known = await ReadConfigurationAsync(cancellation);
        var databases = environments.ToDictionary(environment => Key(environment.Name), environment => ConnectionStrings.Build(environment.Database, "aragora-local-api", database: null, settings: null, TimeSpan.FromSeconds(3)), StringComparer.Ordinal);
        if (known is not null && known.Databases.OrderBy(pair => pair.Key, StringComparer.Ordinal).SequenceEqual(databases.OrderBy(pair => pair.Key, StringComparer.Ordinal)) && await IsRunningAsync(cancellation))
        {
            return;
        }

        var port = (await ReadStateAsync(cancellation))?.Port ?? 0;
        await StopAsync(cancellation);
        var configuration = new Configuration(port, StateFile, LogFile, "local", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), databases);
        await PrivateFile.WriteAsync(ConfigurationFile, JsonSerializer.Serialize(configuration, RunbookJson.Line), cancellation);
        await run.Journal.ActAsync("start the local API", new { log = LogFile }, () => StartAsync(configuration, cancellation));
    }

    /// <summary>Ends it, if it runs.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (await ReadStateAsync(cancellation) is { } state)
        {
            if (await IsOursAsync(state, cancellation))
            {
                await EndAsync(state.Pid, cancellation);
            }

            File.Delete(StateFile);
        }
    }

    private static string Key(TargetEnvironment name) => name == TargetEnvironment.Production ? "production" : "staging";

    private static async Task<bool> AnswersAsync(State state, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, $"http://127.0.0.1:{state.Port}/");
            using var answer = await Http.SendAsync(request, cancellation);
            return answer.Headers.TryGetValues("X-Aragora-Instance", out var instances) && instances.Contains(state.Instance, StringComparer.Ordinal);
        }
        catch (Exception silent) when (!cancellation.IsCancellationRequested && silent is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private async Task<int> StartAsync(Configuration configuration, CancellationToken cancellation)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Aragora.LocalApi.dll");
        using var process = DetachedProcess.Start(DetachedProcess.DotNet(), [program, ConfigurationFile], folder);
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var started = run.Clock.GetTimestamp();
        while (!(await ReadStateAsync(cancellation) is { } state && state.Instance == configuration.Instance && await AnswersAsync(state, cancellation)))
        {
            if (process.HasExited || run.Clock.GetElapsedTime(started) > TimeSpan.FromSeconds(30))
            {
                var why = process.HasExited ? $"it ended with {process.ExitCode}: {await errors}" : "it did not answer within 30 s";
                if (!process.HasExited)
                {
                    process.Kill();
                }

                throw new FailedCleanException("The local API does not start.", $"{why.Trim()} (its log: {LogFile})", "./build.sh LocalDown   erases the local stack; then repeat the command");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellation);
        }

        run.Log.Information("The local API answers at {Url}, process {Process}", await HealthAsync(TargetEnvironment.Production, cancellation), process.Id);
        return process.Id;
    }

    /// <summary>It answers with its instance's name; or it hangs, and its command line has our configuration file.</summary>
    private async Task<bool> IsOursAsync(State state, CancellationToken cancellation)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return Encoding.UTF8.GetString(await File.ReadAllBytesAsync($"/proc/{state.Pid}/cmdline", cancellation)).Split('\0').Contains(ConfigurationFile, StringComparer.Ordinal);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or the number is another user's process by now.
                return false;
            }
        }

        return await AnswersAsync(state, cancellation);
    }

    private async Task EndAsync(int pid, CancellationToken cancellation)
    {
        Process process;
        try
        {
            process = Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return; // It has ended meanwhile.
        }

        using (process)
        {
            if (!OperatingSystem.IsWindows())
            {
                Signals.Send(pid, Signal.Terminate);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                patience.CancelAfter(TimeSpan.FromSeconds(5));
                try
                {
                    await process.WaitForExitAsync(patience.Token);
                    return;
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    run.Log.Warning("The local API, process {Process}, does not end: it is killed", pid);
                }
            }

            process.Kill();
            await process.WaitForExitAsync(cancellation);
        }
    }

    private Task<State?> ReadStateAsync(CancellationToken cancellation) => ReadAsync<State>(StateFile, cancellation);

    private Task<Configuration?> ReadConfigurationAsync(CancellationToken cancellation) => ReadAsync<Configuration>(ConfigurationFile, cancellation);

    private static async Task<T?> ReadAsync<T>(string file, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(await File.ReadAllTextAsync(file, cancellation), RunbookJson.Line);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    private sealed record State(int Pid, int Port, string Instance);

    private sealed record Configuration(int Port, string StateFile, string LogFile, string Version, string Instance, IReadOnlyDictionary<string, string> Databases);
}
