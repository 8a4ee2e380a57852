using Nuke.Common;
using Nuke.Common.CI.AzurePipelines;
using Nuke.Common.CI.GitHubActions;
using Nuke.Common.Execution;
using Nuke.Common.IO;
using Nuke.Common.Tooling;
using Nuke.Common.Utilities.Collections;
using Serilog;

sealed class Build : NukeBuild, IGreets
{
    public static int Main() => Execute<Build>(x => x.Default);

    [Parameter("How often")] readonly int Times = 1;
    [Parameter("A word or several", Separator = ",")] readonly string[] Words = ["hello"];
    [Parameter("How long")] readonly TimeSpan Wait;
    [Parameter("Where to")] readonly AbsolutePath Folder = RootDirectory / "artifacts";
    [Parameter("Where from")] readonly Uri? Source;
    [Parameter("Which color")] readonly Color? Paint;
    [Parameter("Whether")] readonly bool? Really;
    [Parameter("How it is built")] readonly Configuration Configuration = Configuration.Debug;
    [Parameter("The password"), Secret] readonly string? Password;
    [Parameter("What the needy target needs")] readonly string? Need;
    [Parameter("The exit code that the target Code sets")] readonly int? Code;
    [Parameter("Where it stops")] readonly string? FailAt;

    Target Default => _ => _
        .Description("Prints the parameters")
        .Executes(() =>
        {
            Log.Information("Times={Times} Words={Words} Wait={Wait} Folder={Folder}", Times, string.Join('|', Words), Wait, (string)Folder);
            Log.Information("Source={Source} Paint={Paint} Really={Really} Configuration={Configuration}", Source, Paint, Really, (string)Configuration);
            Log.Information("Password={HasPassword} Need={Need}", Password is not null, Need);
            Log.Information("Local={IsLocal} Host={Host} Profiles={Profiles}", IsLocalBuild, Host.GetType().Name, string.Join('|', LoadedLocalProfiles));
            ReportSummary(x => x.AddPair("Times", Times));
        });

    Target First => _ => _
        .Executes(() => Do(nameof(First)));

    Target Second => _ => _
        .DependsOn(First)
        .Executes(() => Do(nameof(Second)));

    Target Third => _ => _
        .DependsOn(Second)
        .Triggers(After)
        .Executes(() => Do(nameof(Third)));

    Target After => _ => _
        .Unlisted()
        .Executes(async () =>
        {
            await Task.Yield();
            Do(nameof(After));
        });

    Target Proceeds => _ => _
        .ProceedAfterFailure()
        .Before(First)
        .Executes(() => throw new InvalidOperationException("first line\nsecond line"));

    Target Assured => _ => _
        .AssuredAfterFailure()
        .After(Third)
        .Executes(() => Do(nameof(Assured)));

    Target Never => _ => _
        .OnlyWhenStatic(() => Times > 100)
        .DependsOn(First)
        .Executes(() => Do(nameof(Never)));

    Target Needy => _ => _
        .Requires(() => Need)
        .Executes(() => Do(nameof(Needy)));

    Target Warns => _ => _
        .Executes(() => Log.Warning("100% of {What}", "a\nb"));

    Target Sleeps => _ => _
        .Triggers(Third)
        .Executes(async () =>
        {
            Log.Information("sleeping");
            await Task.Delay(TimeSpan.FromMinutes(1));
        });

    Target SetsCode => _ => _
        .Executes(() => ExitCode = Code);

    Target SetsCodeAndFails => _ => _
        .Executes(() =>
        {
            ExitCode = Code;
            throw new InvalidOperationException("no");
        });

    protected override void OnBuildCreated() => Log.Verbose("created");

    protected override void OnBuildInitialized() => Log.Debug("plan: {Plan}", string.Join(' ', ExecutionPlan.Select(x => x.Name)));

    protected override void OnTargetSkipped(string target) => Log.Debug("skipped: {Target}", target);

    protected override void OnBuildFinished()
    {
        Console.WriteLine($"finished: {IsSucceeding} {ExitCode} {string.Join(' ', ExecutionPlan.Select(x => $"{x.Name}={x.Status}"))}");
        if (Code == 77)
            ExitCode = 78;
    }

    void Do(string target)
    {
        Log.Information("doing {Target}", target);
        if (target == FailAt)
            throw new InvalidOperationException($"{target} was told to fail");
    }
}

enum Color
{
    Red,
    Green,
}

[System.ComponentModel.TypeConverter(typeof(TypeConverter<Configuration>))]
sealed class Configuration : Enumeration
{
    public static Configuration Debug = new() { Value = nameof(Debug) };
    public static Configuration Release = new() { Value = nameof(Release) };
}

[ParameterPrefix("Greeting")]
interface IGreets : INukeBuild
{
    [Parameter("Whom to greet")] string Name => TryGetValue(() => Name) ?? "world";

    Target Greet => _ => _
        .Executes(() => Log.Information("Hello {Name}, on {Ci}", Name, (object?)GitHubActions.Instance?.RunId ?? AzurePipelines.Instance?.BuildId));
}
