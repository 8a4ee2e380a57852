using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Nuke.Common;
using Nuke.Common.Execution;
using Serilog;

/// <summary>What surrounds every target: the guard before, cancellation, the verdict and the report after. It holds under either host.</summary>
sealed partial class Build
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly;
    private static readonly TimeSpan LookPatience = TimeSpan.FromSeconds(5);

    /// <summary>NUKE's own parameters; but for the first two they count only from the command line, since each can end a run green without its work, or move it elsewhere.</summary>
    private static readonly ParameterDefinition[] HostParameters =
    [
        new("Verbosity", typeof(Verbosity)),
        new("NoLogo", typeof(bool)),
        new("Target", typeof(string[]), CommandLineOnly: true),
        new("Skip", typeof(string[]), CommandLineOnly: true),
        new("Continue", typeof(bool), CommandLineOnly: true),
        new("Plan", typeof(bool), CommandLineOnly: true),
        new("Help", typeof(bool), CommandLineOnly: true),
        new("Profile", typeof(string[]), CommandLineOnly: true),
        new("Root", typeof(string[]), CommandLineOnly: true),
        new("Host", typeof(string), CommandLineOnly: true),
        new("Partition", typeof(string), CommandLineOnly: true),
    ];

    private static readonly CancellationTokenSource Cancelled = new();
    private static readonly RunVerdict Verdict = new();
    private static readonly CommandLine Input = CommandLine.Read(Environment.GetCommandLineArgs()[1..]);
    private static Build? current;
    private ILogger hostLogger = Log.Logger;

    public Build() => current = this;

    private static int Guarded(Func<int> execute)
    {
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            CheckInputs();
        }
        catch (BadInputException bad)
        {
            Console.Error.WriteLine(LogText.Safe(bad.Message));
            return bad.ExitCode;
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel);
        var hostCode = execute();
        return current is null ? Verdict.ExitCode(hostCode) : current.Conclude(hostCode);
    }

    /// <summary>The first signal ends the run in order; a second one ends the process.</summary>
    private static void Cancel(PosixSignalContext signal)
    {
        if (!Cancelled.IsCancellationRequested)
        {
            signal.Cancel = true;
            Console.Error.WriteLine("Cancelling: children are ended and locks released. Once more ends this process at once.");
            Cancelled.Cancel();
        }
    }

    private static void CheckInputs()
    {
        var targets = typeof(Build).GetProperties(Declared).Where(property => property.PropertyType == typeof(Target)).Select(property => property.Name);
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);
        new InputGuard([.. OurParameters(), .. HostParameters], [.. targets]).Check(Input, environment, ParameterFiles());
    }

    private static IEnumerable<ParameterDefinition> OurParameters() =>
        from field in typeof(Build).GetFields(Declared)
        let parameter = field.GetCustomAttribute<ParameterAttribute>()
        where parameter is not null
        select new ParameterDefinition(parameter.Name ?? field.Name, field.FieldType, field.IsDefined(typeof(CommandLineOnlyAttribute)), field.IsDefined(typeof(SecretAttribute))) { Separator = parameter.Separator };

    private static Dictionary<string, string> ParameterFiles()
    {
        var root = Input.Value("Root") ?? Ancestors(Environment.CurrentDirectory).FirstOrDefault(folder => Directory.Exists(Path.Combine(folder, ".nuke"))) ?? Environment.CurrentDirectory;
        var profiles = Input.Switches.Where(given => given.Text.TrimStart('-').Equals("profile", StringComparison.OrdinalIgnoreCase)).SelectMany(given => given.Values);
        return new[] { "parameters.json" }.Concat(profiles.Select(profile => $"parameters.{profile}.json"))
            .Select(name => Path.Combine(root, ".nuke", name))
            .Where(File.Exists)
            .ToDictionary(path => path, File.ReadAllText, StringComparer.Ordinal);
    }

    private static IEnumerable<string> Ancestors(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            yield return at.FullName;
        }
    }

    /// <summary>NUKE shows debug lines at its normal level; here people get them when they ask for everything.</summary>
    private static bool ShowsDebug => Verbosity == Verbosity.Verbose;

    /// <summary>From here on nothing is logged that is not masked; NUKE itself masks nothing.</summary>
    protected override void OnBuildInitialized()
    {
        hostLogger = Log.Logger;
        Log.Logger = MaskingLogger.Create(hostLogger, secrets, runFolder: null, ShowsDebug);
    }

    private async Task PerformAsync(Func<CancellationToken, Task<StepFact>> step)
    {
        try
        {
            Cancelled.Token.ThrowIfCancellationRequested();
            var fact = await step(Cancelled.Token);
            Summarize(fact.Name, fact.Value);
        }
        catch (Exception failure)
        {
            Verdict.Failed(failure);
            Summarize("why", failure is RunbookException told ? told.What : failure.Message.Split('\n')[0]);
            throw;
        }
    }

    /// <summary>On Ctrl-C NUKE ends its summary at once, from another thread: then no target is running any more, and there is nothing to add to.</summary>
    private void Summarize(string name, string value)
    {
        if (ExecutionPlan.Any(target => target.Status == ExecutionStatus.Running))
        {
            ReportSummary(facts =>
            {
                facts[name] = secrets.Apply(value);
                return facts;
            });
        }
    }

    private Task<StepFact> ContactsAsync(CancellationToken cancellation)
    {
        var contacts = ReadContacts();
        foreach (var line in contacts.ToTable().Split('\n'))
        {
            Log.Information("{Line:l}", line);
        }

        return Task.FromResult(new StepFact("contacts", $"{contacts.All.Count}"));
    }

    /// <summary>After NUKE is done: its exit code is decided before its last hook, and it is 0 also when a verification was skipped.</summary>
    private int Conclude(int hostCode)
    {
        var code = Verdict.ExitCode(hostCode);
        if (Verdict.Unverified is { } unverified)
        {
            Verdict.Failed(new NeedsPersonException($"This run is not verified: {unverified}.", "a verification was skipped, failed, or did not come to run", "./build.sh SmokeTest --target-environment Production   (or Staging)"));
        }

        if (run is null)
        {
            EndForwards();
            return code;
        }

        try
        {
            ReportAsync(code).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or RunbookException)
        {
            // The report tells of the run; it must not replace what the run came to.
            Console.Error.WriteLine(LogText.Safe(secrets.Apply($"The report could not be written: {failure.Message}")));
        }

        EndForwards();
        run.Journal.Dispose();
        presence?.Dispose();
        return code;
    }

    private async Task ReportAsync(int code)
    {
        var contacts = ReadContacts();
        var found = composition is null ? [] : await composition.Environments.FindAsync(CancellationToken.None);
        var states = await Task.WhenAll(found.Select(environment => DatabaseState.ReadAsync(environment, LookPatience, TimeProvider.System, CancellationToken.None)));
        if (Verdict.Failure is { } failure)
        {
            var repeated = string.Join(' ', Input.Switches.Where(given => OurParameters().Any(parameter => parameter is { CommandLineOnly: false, Secret: false } && parameter.IsNamed(given.Text))).Select(given => string.Join(' ', given.Values.Prepend(given.Text))));
            Console.WriteLine(new FailureReport(failure, code, Verdict.Unverified, states, contacts, run!.Folder).Render(secrets));
            if (repeated.Length > 0)
            {
                Console.WriteLine(LogText.Safe(secrets.Apply($"Whatever you type next wants this run's switches again: {repeated}")));
            }
        }

        await new RunSummary(run!).WriteAsync(
            new RunSummaryInput
            {
                Ending = code == ExitCodes.Green ? "green" : $"exit code {code}",
                Targets = [.. (ExecutionPlan ?? []).Select(target => new TargetOutcome(target.Name, target.Status.ToString(), target.Duration, string.Join("; ", target.SummaryInformation.Select(fact => $"{fact.Key}: {fact.Value}"))))],
                States = states,
                Failure = Verdict.Failure?.Message,
                Next = code == ExitCodes.Green ? "Nothing: all that was asked for was seen to have happened." : Verdict.Failure is RunbookException told ? told.Next : "./build.sh Status",
                Contacts = contacts,
            },
            CancellationToken.None);
        Console.WriteLine($"Journal, evidence and report: {run!.Folder}");
    }
}
