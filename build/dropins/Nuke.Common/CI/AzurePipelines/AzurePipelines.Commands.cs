using Nuke.Common.Execution.Theming;
using Nuke.Common.Utilities;

namespace Nuke.Common.CI.AzurePipelines;

// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
public partial class AzurePipelines
{
    private const string CommandStart = "##vso[";

    internal override IHostTheme Theme { get; } = new AnsiConsoleHostTheme(
        "\u001b[32;1m",
        AnsiConsoleHostTheme.Styles(string.Empty, "\u001b[90m", "\u001b[37;1m", "\u001b[36;1m", "\u001b[90;1m", "\u001b[97;1m", "\u001b[33;1m", "\u001b[31;1m", "\u001b[41;1m"));

    public void Group(string group) => _messageSink($"##[group]{group}");

    public void EndGroup(string group) => _messageSink($"##[endgroup]{group}");

    public void UploadLog(string path) => WriteCommand("build.uploadlog", path);

    public void UpdateBuildNumber(string buildNumber)
    {
        WriteCommand("build.updatebuildnumber", buildNumber);
        EnvironmentInfo.SetVariable("BUILD_BUILDNUMBER", buildNumber);
    }

    public void AddBuildTag(string buildTag) => WriteCommand("build.addbuildtag", buildTag);

    public void UploadArtifacts(string containerDirectory, string artifactName, string packageDirectory) =>
        Write("artifact.upload", packageDirectory, ("containerfolder", containerDirectory), ("artifactname", artifactName));

    public void LogError(string message, string sourcePath = null, string lineNumber = null, string columnNumber = null, string code = null) =>
        LogIssue(AzurePipelinesIssueType.Error, message, sourcePath, lineNumber, columnNumber, code);

    public void LogWarning(string message, string sourcePath = null, string lineNumber = null, string columnNumber = null, string code = null) =>
        LogIssue(AzurePipelinesIssueType.Warning, message, sourcePath, lineNumber, columnNumber, code);

    public void LogIssue(
        AzurePipelinesIssueType type,
        string message,
        string sourcePath = null,
        string lineNumber = null,
        string columnNumber = null,
        string code = null)
        => Write(
            "task.logissue",
            message,
            ("type", type == AzurePipelinesIssueType.Warning ? "warning" : "error"),
            ("sourcepath", sourcePath),
            ("linenumber", lineNumber),
            ("columnnumber", columnNumber),
            ("code", code));

    public void SetVariable(string name, string value, bool? isSecret = null, bool? isOutput = null, bool? isReadOnly = null) =>
        Write("task.setvariable", value, ("variable", name), ("issecret", isSecret), ("isoutput", isOutput), ("isreadonly", isReadOnly));

    public void PublishTestResults(
        string title,
        AzurePipelinesTestResultsType type,
        IEnumerable<string> files,
        bool? mergeResults = null,
        string platform = null,
        string configuration = null,
        bool? publishRunAttachments = null)
        => Write(
            "results.publish",
            message: null,
            ("type", type),
            ("resultFiles", string.Join(',', files)),
            ("mergeResults", mergeResults),
            ("platform", platform),
            ("config", configuration),
            ("runTitle", $"'{title?.Replace("'", "\\'", StringComparison.Ordinal)}'"),
            ("publishRunAttachments", publishRunAttachments));

    /// <summary>Prints a logging command, escaped as the agent unescapes it.</summary>
    public void WriteCommand(
        string command,
        string message = null,
        Func<Dictionary<string, object>, Dictionary<string, object>> dictionaryConfigurator = null)
    {
        var properties = dictionaryConfigurator?.Invoke([]) ?? [];
        Write(command, message, [.. properties.Select(x => (x.Key, x.Value))]);
    }

    /// <inheritdoc />
    protected internal override IDisposable WriteBlock(string text) => DelegateDisposable.CreateBracket(() => Group(text), () => EndGroup(text));

    /// <inheritdoc />
    protected internal override void ReportWarning(string text, string details = null) => LogIssue(AzurePipelinesIssueType.Warning, text);

    /// <inheritdoc />
    protected internal override void ReportError(string text, string details = null) => LogIssue(AzurePipelinesIssueType.Error, text);

    /// <inheritdoc />
    protected internal override bool FilterMessage(string message)
    {
        if (!message.Contains(CommandStart, StringComparison.OrdinalIgnoreCase))
            return false;

        Console.WriteLine(message);
        return true;
    }

    private void Write(string command, string message, params (string Key, object Value)[] properties)
    {
        var tokens = properties.Where(x => x.Value is not null).Select(x => $"{x.Key}={EscapeValue(x.Value.ToString())}");
        _messageSink($"{CommandStart}{command} {string.Join(';', tokens)}]{EscapeMessage(message)}");
    }

    private static string EscapeMessage(string data) => data?
        .Replace("\r", "%0D", StringComparison.Ordinal)
        .Replace("\n", "%0A", StringComparison.Ordinal);

    private static string EscapeValue(string value) => EscapeMessage(value)
        .Replace("]", "%5D", StringComparison.Ordinal)
        .Replace(";", "%3B", StringComparison.Ordinal);
}
