using Aragora.Runbook.Flow;
using Aragora.Runbook.Tooling;
using Serilog;

/// <summary>The tests of this repository.</summary>
sealed partial class Build
{
    private async Task<StepFact> TestAsync(CancellationToken cancellation)
    {
        using var python = new PythonTools(commands, Log.Logger, new PythonToolsOptions { Root = RootDirectory });
        var count = await new TestSuites(RootDirectory, commands, python, Log.Logger).RunAsync(cancellation);
        return new StepFact("tests", $"{count.Passed} passed, {count.Failed} failed, {count.Skipped} skipped");
    }
}
