using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Benchmarks;
using Aragora.Runbook.Contacts;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Journal;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Snapshots;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Verification;
using Nuke.Common;
using Nuke.Common.Execution;
using Nuke.Common.IO;
using Serilog;

/// <summary>The one place that constructs: parameters are mapped once into options, adapters and steps are put together.</summary>
sealed partial class Build
{
    private readonly SecretMask secrets = new();
    private readonly CommandRunner commands = new(TimeProvider.System, withheld: [.. OurParameters().Where(parameter => parameter.Secret).Select(parameter => parameter.Name)]);
    private IDisposable? presence;
    private RunContext? run;
    private Composition? composition;

    /// <summary>Built with the first step that needs it: <c>Contacts</c> needs nothing, and is quick.</summary>
    private Composition Runbook => composition ??= Compose();

    private Composition Compose()
    {
        ReadContacts();
        CheckTogether();
        run = NewRun();
        var project = new Lazy<AlembicProject>(LocateAlembic);
        var python = new PythonTools(commands, run.Log, new PythonToolsOptions { Root = run.Root });
        var reader = new MigrationsTreeReader(commands, python);
        var tree = new LoadedTree(reader, () => project.Value);
        var options = MapOptions(async cancellation => (await reader.ReadAsync(project.Value, cancellation)).Hash);
        var runner = new LocalAlembicRunner(commands, python, project.Value, run.Secrets, run.Log, run.Clock);
        var images = new ImageCheck(commands, python, project.Value);
        var compose = MapCompose(project.Value, images);
        var runners = MapRunners(runner, compose.Runner, environment => KubernetesRunnerOf(environment, run, images));
        var binaries = new ServerBinaryProvider(run, commands);
        var servers = new ServerProvider(run, commands, binaries);
        var seeder = new LocalSeeder(project.Value.ConfigFile, SeedUpgrade(runner, options.Migrator.Budget), run.Log);
        var stack = new EmbeddedStack(run, new LocalStackOptions { AlembicConfig = project.Value.ConfigFile }, servers, commands, seeder);
        var environments = new RunbookEnvironments(NamedEnvironments(), stack, run.Log);
        options = options with { Surroundings = [.. KubernetesChecksOf(run, options.Migrator.Budget), .. ComposeChecks(compose, environments)] };
        var scratchServers = new ScratchServers(run, servers, Path.Combine(StackFolder.Choose(run.Root, Surroundings.Current()).Parent, "scratch"));
        var scratch = new ScratchDatabases(run, scratchServers, commands, NamedScratch(run, environments));
        var verification = new VerificationFlow(run, options, environments, tree, commands, python, Verdict);
        var gate = new ProductionGate(run, options.Gate);
        var applications = MapApplications(run, options.Application);
        var application = new ApplicationFlow(run, options, environments, applications);
        var fit = new SchemaFit(run, options.Application, applications);
        Func<DatabaseEnvironment, CancellationToken, Task<RunningMigration?>> running = (environment, cancellation) => runners(environment.Name).FindRunningAsync(environment, cancellation);
        var snapshots = new SnapshotFlow(run, options.Backup, MapRds(options), environments, tree, fit) { Running = running };
        return new Composition(
            environments,
            new InspectionFlow(run, options, environments, tree, verification, new StatusView(new RevisionOrigin(run, commands)), new NewMigration(run, commands, python, reader, project.Value), stack, applications, commands) { Snapshots = snapshots, FindScratchServer = async (major, cancellation) => string.IsNullOrWhiteSpace(ScratchServerUrl) ? (await binaries.FindAsync(major, cancellation))?.Release : null },
            new BackupFlow(run, options, environments, scratch, commands) { Snapshots = snapshots },
            new MigrationFlow(run, options, environments, tree, verification, gate, environment => new Migrator(run, commands, runners(environment), options.Migrator), Verdict),
            new RollbackFlow(run, options, environments, tree, verification, environment => new DowngradeRollback(run, commands, runners(environment), options.Migrator) { Gate = fit.Gate }, new RestoreRollback(run, commands, MapRestore(options) with { Application = applications, Running = running }), fit, application, commands) { Snapshots = snapshots },
            application,
            verification,
            snapshots,
            new BenchmarkFlow(run, new BenchmarkStep(run, options.Benchmark, options.Backup, scratchServers, scratch, commands)));
    }

    private RunContext NewRun()
    {
        var runId = $"{TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2))}";
        string root = RootDirectory;
        var runs = Path.Combine(root, "artifacts", "runbook");
        var folder = Path.Combine(runs, runId);
        secrets.Add(EvidenceKey);
        secrets.Add(Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY"));
        secrets.Add(Environment.GetEnvironmentVariable("AWS_SESSION_TOKEN"));
        presence = InterruptedRuns.Announce(runs, runId);
        var beside = Path.Combine(new BackupOptions { Folder = BackupDirectory }.FolderBelow(root), BackupCatalog.RecordsFolder);
        var searched = EvidenceDirectory is null ? new[] { runs, beside } : [runs, beside, EvidenceDirectory];
        return new RunContext
        {
            RunId = runId,
            Root = root,
            Folder = folder,
            Log = Log.Logger = Aragora.Runbook.Reporting.MaskingLogger.Create(hostLogger, secrets, folder, ShowsDebug),
            Journal = new RunJournal(Path.Combine(folder, "journal.ndjson"), secrets, TimeProvider.System),
            Evidence = new EvidenceStore(folder, searched, secrets, EvidenceKey is null ? null : Encoding.UTF8.GetBytes(EvidenceKey)),
            BackupRecords = beside,
            Secrets = secrets,
            Clock = TimeProvider.System,
            Who = Person.Name(Environment.GetEnvironmentVariable, $"{Environment.UserName}@{Environment.MachineName}"),
            GitCommit = Checkout.CommitAsync(root, commands, Cancelled.Token).GetAwaiter().GetResult(),
            Host = IsPackagedNuke ? "Nuke.Common" : "Nuke.Common drop-in",
            EvidenceLifetime = EvidenceLifetime?.Value ?? TimeSpan.FromHours(24),
        };
    }

    /// <summary>What each parameter's own type cannot tell.</summary>
    private void CheckTogether()
    {
        Within("--lock-timeout", LockTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        Within("--statement-timeout", StatementTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(7));
        Within("--single-flight-wait", SingleFlightWait, TimeSpan.Zero, TimeSpan.FromDays(1));
        Within("--evidence-lifetime", EvidenceLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
        Within("--application-timeout", ApplicationTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Within("--migration-deadline", MigrationDeadline, TimeSpan.FromSeconds(10), TimeSpan.FromDays(7));
        Within("--migration-retention", MigrationRetention, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
        Within("--snapshot-retention", SnapshotRetention, TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
        Within("--snapshot-deadline", SnapshotDeadline, TimeSpan.FromMinutes(1), TimeSpan.FromDays(2));
        Within("--health-timeout", HealthTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        CheckOverride();
        CheckRds();
        if (TargetEnvironment == Aragora.Runbook.Environments.TargetEnvironment.Staging && ExecutionPlan.Any(target => target.Name == nameof(MigrateProduction)))
        {
            throw new BadInputException("MigrateProduction does not go with --target-environment Staging.", "what it triggers verifies production", "./build.sh MigrateStaging   migrates staging alone");
        }
    }

    /// <summary>An override is said with its reason, where there is a gate to override, or not at all.</summary>
    private void CheckOverride()
    {
        if (Override is null && Because is null)
        {
            return;
        }

        if (Override is null || string.IsNullOrWhiteSpace(Because))
        {
            throw new BadInputException(
                Override is null ? "--because is given without --override." : "--override is given without --because.",
                "a box of the gate is overridden by name, and for a reason that is kept",
                $"--override {(Override is { Length: > 0 } ? string.Join(',', Override) : nameof(GateBox.VerifiedBackup))} --because \"why\"");
        }

        if (ExecutionPlan.All(target => target.Name != nameof(MigrateProduction)))
        {
            throw new BadInputException("--override does nothing here.", "it is for the gate that MigrateProduction asks, and MigrateProduction does not run", "leave it out, or ./build.sh MigrateProduction");
        }
    }

    private static void Within(string name, Duration? given, TimeSpan least, TimeSpan most)
    {
        if (given is { } duration && (duration.Value < least || duration.Value > most))
        {
            throw new BadInputException($"{name} {duration} is out of range.", $"it has to be from {new Duration(least)} to {new Duration(most)}", $"give {name} a value in between, such as 5min");
        }
    }

    private static bool IsPackagedNuke =>
        typeof(Build).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Any(attribute => attribute is { Key: "PackagedNuke", Value: "true" });

    private RunbookOptions MapOptions(Func<CancellationToken, Task<string>> currentTreeHash) => new()
    {
        Scheduled = ExecutionPlan.Where(target => target.Status != ExecutionStatus.Skipped).Select(target => target.Name).ToHashSet(StringComparer.Ordinal),
        Named = ExecutionPlan.Where(target => target.Invoked).Select(target => target.Name).ToHashSet(StringComparer.Ordinal),
        Fresh = Fresh,
        TargetEnvironment = TargetEnvironment,
        Revision = Input.Value(nameof(Revision)),
        Backup = new BackupOptions { Folder = BackupDirectory, Jobs = BackupJobs ?? Math.Clamp(Environment.ProcessorCount, 1, 4) }.Validated(),
        BackupName = BackupName,
        Migrator = new MigratorOptions
        {
            Budget = new LockBudget { LockTimeout = LockTimeout?.Value ?? TimeSpan.FromSeconds(5), StatementTimeout = StatementTimeout?.Value ?? TimeSpan.Zero },
            SingleFlightWait = SingleFlightWait?.Value ?? TimeSpan.Zero,
            CurrentTreeHash = currentTreeHash,
            Moved = environment => Verdict.Moved(environment.Name),
        },
        Gate = new GateOptions { Window = MaintenanceWindow, Attested = Attest?.ToHashSet() ?? [], Overridden = Override?.ToHashSet() ?? [], Because = Because },
        SmokeTest = WithUrl(new SmokeTestOptions { AllowWrites = AllowSmokeWrites }) is var smoke && SmokeSuite is not null ? smoke with { Suite = SmokeSuite } : smoke,
        HealthCheck = new HealthCheckOptions { Deadline = HealthTimeout?.Value ?? TimeSpan.FromSeconds(60) },
        Strategy = Strategy ?? RollbackStrategy.Auto,
        AcceptLostWrites = AcceptLostWrites,
        AcceptDataLoss = AcceptDataLoss,
        Application = new ApplicationOptions { Timeout = ApplicationTimeout?.Value ?? TimeSpan.FromMinutes(5), SuspendGitOps = SuspendGitops, Revisions = ApplicationRevisions },
        Benchmark = new BenchmarkOptions { Megabytes = BenchmarkMegabytes ?? 500, Runs = BenchmarkRuns ?? 5 }.Validated(),
        NothingMoves = Strategy == RollbackStrategy.Snapshot && Switch != SwitchMode.Rename,
        Message = Message,
        Autogenerate = Autogenerate,
    };

    /// <summary>Where each environment's migrations run.</summary>
    private Func<TargetEnvironment, IMigrationRunner> MapRunners(LocalAlembicRunner local, IMigrationRunner compose, Func<TargetEnvironment, IMigrationRunner> kubernetes) => environment =>
        RunnerOf(environment) switch
        {
            Runner.DockerCompose => compose,
            Runner.Kubernetes => kubernetes(environment),
            _ => local,
        };

    private Runner RunnerOf(TargetEnvironment environment) => Of(environment, StagingRunner, ProductionRunner) ?? Runner.Local;

    private static T Of<T>(TargetEnvironment environment, T staging, T production) => environment == Aragora.Runbook.Environments.TargetEnvironment.Production ? production : staging;

    private static RestoreOptions MapRestore(RunbookOptions options) => new()
    {
        Backup = options.Backup,
        Accepted = options.AcceptLostWrites ?? AcceptedWrites.None,
        SingleFlightWait = options.Migrator.SingleFlightWait,
        GuardHeartbeat = options.Migrator.GuardHeartbeat,
        Moved = options.Migrator.Moved,
    };

    private SmokeTestOptions WithUrl(SmokeTestOptions smoke) => smoke with { UrlVariables = DatabaseUrlVariables ?? smoke.UrlVariables, UrlScheme = DatabaseUrlScheme ?? smoke.UrlScheme };

    private AlembicProject LocateAlembic()
    {
        var project = AlembicProject.Locate(RootDirectory, MigrationsDirectory, AlembicConfig);
        return project with { UrlVariables = DatabaseUrlVariables ?? project.UrlVariables, UrlScheme = DatabaseUrlScheme ?? project.UrlScheme };
    }

    private IReadOnlyList<DatabaseEnvironment> NamedEnvironments() =>
    [
        .. Named(Aragora.Runbook.Environments.TargetEnvironment.Staging, StagingDatabaseUrl, StagingHealthUrl, StagingEnvironmentId),
        .. Named(Aragora.Runbook.Environments.TargetEnvironment.Production, ProductionDatabaseUrl, ProductionHealthUrl, ProductionEnvironmentId),
    ];

    private IEnumerable<DatabaseEnvironment> Named(TargetEnvironment name, string? url, Uri? health, string? id)
    {
        if (string.IsNullOrWhiteSpace(url))
        {
            RequireNoPortForward(name);
            return [];
        }

        secrets.Add(url);
        var database = PostgresUrl.Parse(url, DatabaseEnvironment.UrlVariableOf(name));
        MaskablePassword.Require(database, DatabaseEnvironment.UrlVariableOf(name));
        secrets.Add(database.Password);
        return [Forwarded(new DatabaseEnvironment { Name = name, Database = database, HealthUrl = health, EnvironmentId = id })];
    }

    private NamedScratchServer? NamedScratch(RunContext context, RunbookEnvironments environments)
    {
        if (string.IsNullOrWhiteSpace(ScratchServerUrl))
        {
            return null;
        }

        const string Variable = "SCRATCH_SERVER_URL";
        secrets.Add(ScratchServerUrl);
        var url = PostgresUrl.Parse(ScratchServerUrl, Variable);
        MaskablePassword.Require(url, Variable);
        secrets.Add(url.Password);
        return new NamedScratchServer(context, url, environments.FindAsync);
    }

    /// <summary>The local stack is seeded by the same runner that migrates.</summary>
    private static Func<DatabaseEnvironment, string, CancellationToken, Task> SeedUpgrade(LocalAlembicRunner runner, LockBudget budget) => async (database, revision, cancellation) =>
    {
        var result = await runner.RunAsync(new RunnerRequest(database, MigrationDirection.Upgrade, revision, budget, "aragora-seed"), line => Log.Debug("{Line:l}", line), cancellation);
        if (result.ExitCode != 0)
        {
            throw new FailedCleanException($"The local stack could not be migrated to its seed revision {revision}.", result.Tail, "./build.sh LocalDown   then repeat the command");
        }
    };

    private EmergencyContacts ReadContacts() => EmergencyContacts.Read(ContactList, RootDirectory);

    /// <summary>What a run is made of.</summary>
    private sealed record Composition(RunbookEnvironments Environments, InspectionFlow Inspection, BackupFlow Backups, MigrationFlow Migrations, RollbackFlow Rollbacks, ApplicationFlow Application, VerificationFlow Verification, SnapshotFlow Snapshots, BenchmarkFlow Benchmarks);
}
