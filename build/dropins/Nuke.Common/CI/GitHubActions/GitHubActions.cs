using Nuke.Common.Execution.Theming;
using Nuke.Common.IO;
using Nuke.Common.Tooling;
using Nuke.Common.Utilities;

namespace Nuke.Common.CI.GitHubActions;

/// <summary>GitHub Actions, by <see href="https://docs.github.com/actions/reference/variables-reference">its variables</see> and workflow commands.</summary>
public class GitHubActions : Host, IBuildServer
{
    internal GitHubActions()
    {
    }

    /// <summary>The host if it is this one, else null.</summary>
    public static new GitHubActions Instance => Host.Instance as GitHubActions;

    internal static bool IsRunningGitHubActions => EnvironmentInfo.HasVariable("GITHUB_ACTIONS");

    internal override IHostTheme Theme => AnsiConsoleHostTheme.Default256AnsiColorTheme;

    string IBuildServer.Branch => Ref;
    string IBuildServer.Commit => Sha;

    public string Home => EnvironmentInfo.GetVariable("HOME");
    public string Workflow => EnvironmentInfo.GetVariable("GITHUB_WORKFLOW");
    public string Action => EnvironmentInfo.GetVariable("GITHUB_ACTION");
    public string Actor => EnvironmentInfo.GetVariable("GITHUB_ACTOR");
    public string Repository => EnvironmentInfo.GetVariable("GITHUB_REPOSITORY");
    public string RepositoryOwner => EnvironmentInfo.GetVariable("GITHUB_REPOSITORY_OWNER");
    public string EventName => EnvironmentInfo.GetVariable("GITHUB_EVENT_NAME");
    public string EventPath => EnvironmentInfo.GetVariable("GITHUB_EVENT_PATH");
    public string Workspace => EnvironmentInfo.GetVariable("GITHUB_WORKSPACE");
    public string Sha => EnvironmentInfo.GetVariable("GITHUB_SHA");
    public string Ref => EnvironmentInfo.GetVariable("GITHUB_REF");
    public string RefName => EnvironmentInfo.GetVariable("GITHUB_REF_NAME");
    public string HeadRef => EnvironmentInfo.GetVariable("GITHUB_HEAD_REF");
    public string BaseRef => EnvironmentInfo.GetVariable("GITHUB_BASE_REF");
    public string RefType => EnvironmentInfo.GetVariable("GITHUB_REF_TYPE");
    public long RunAttempt => EnvironmentInfo.GetVariable<long>("GITHUB_RUN_ATTEMPT");
    public long RunNumber => EnvironmentInfo.GetVariable<long>("GITHUB_RUN_NUMBER");
    public long RunId => EnvironmentInfo.GetVariable<long>("GITHUB_RUN_ID");
    public string ServerUrl => EnvironmentInfo.GetVariable("GITHUB_SERVER_URL");
    public string Job => EnvironmentInfo.GetVariable("GITHUB_JOB");
    public string Token => EnvironmentInfo.GetVariable("GITHUB_TOKEN");
    public bool IsPullRequest => EventName == "pull_request";

    /// <summary>What is written here is shown on the page of the run.</summary>
    public AbsolutePath StepSummaryFile => EnvironmentInfo.GetVariable("GITHUB_STEP_SUMMARY");

    public void Group(string group) => WriteCommand("group", group);

    public void EndGroup(string group) => WriteCommand("endgroup", group);

    public void WriteDebug(string message) => WriteCommand("debug", message);

    public void WriteWarning(string message) => WriteCommand("warning", message);

    public void WriteError(string message) => WriteCommand("error", message);

    /// <summary>Prints a workflow command, escaped as the runner unescapes it.</summary>
    public void WriteCommand(string command, string message = null, Configure<Dictionary<string, object>> dictionaryConfigurator = null)
    {
        var properties = dictionaryConfigurator.InvokeSafe([]).Select(x => $"{x.Key}={EscapeProperty(x.Value.ToString())}").ToList();
        var head = properties.Count == 0 ? command : $"{command} {string.Join(", ", properties)}";
        Console.WriteLine($"::{head}::{EscapeData(message)}");
    }

    /// <inheritdoc />
    protected internal override IDisposable WriteBlock(string text) => DelegateDisposable.CreateBracket(() => Group(text), () => EndGroup(text));

    /// <inheritdoc />
    protected internal override void ReportWarning(string text, string details = null) => WriteWarning(text);

    /// <inheritdoc />
    protected internal override void ReportError(string text, string details = null) => WriteError(text);

    /// <inheritdoc />
    protected internal override bool FilterMessage(string message)
    {
        if (!message.StartsWith("::", StringComparison.Ordinal) && !message.StartsWith("##[", StringComparison.Ordinal))
            return false;

        Console.WriteLine(message);
        return true;
    }

    private static string EscapeData(string data) => data?
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("\r", "%0D", StringComparison.Ordinal)
        .Replace("\n", "%0A", StringComparison.Ordinal);

    private static string EscapeProperty(string value) => EscapeData(value)
        .Replace(":", "%3A", StringComparison.Ordinal)
        .Replace(",", "%2C", StringComparison.Ordinal);
}
