using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Preflight;
using Aragora.Runbook.Tooling;

/// <summary>Migrations in Docker Compose, put together.</summary>
sealed partial class Build
{
    private Runner RunnerOf(TargetEnvironment environment) =>
        (environment == Aragora.Runbook.Environments.TargetEnvironment.Production ? ProductionRunner : StagingRunner) ?? Runner.Local;

    private ComposeParts MapCompose(AlembicProject project, IPythonTools python)
    {
        var composing = new ComposeOptions { Root = RootDirectory, Files = ComposeFile?.Paths ?? [], Project = ComposeProject };
        composing = composing with { Service = ComposeService ?? composing.Service };
        var reader = new ComposeReader(commands, composing, project.UrlVariables, run!.Secrets);
        return new ComposeParts(new ComposeRunner(run, commands, reader, new ImageCheck(commands, python, project), composing), new ComposeChecks(commands, reader));
    }

    private IEnumerable<EnvironmentCheck> ComposeChecks(ComposeParts compose, RunbookEnvironments environments) =>
        Enum.GetValues<TargetEnvironment>()
            .Where(name => RunnerOf(name) == Runner.DockerCompose)
            .SelectMany(name => compose.Checks.Of(name, cancellation => environments.GetAsync(name, cancellation)));

    /// <summary>What runs migrations in Compose, and what asks beforehand whether it could.</summary>
    private sealed record ComposeParts(ComposeRunner Runner, ComposeChecks Checks);
}
