using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Preflight;

/// <summary>Migrations in Docker Compose, put together.</summary>
sealed partial class Build
{
    private ComposeParts MapCompose(AlembicProject project, ImageCheck images)
    {
        var composing = new ComposeOptions { Root = RootDirectory, Files = ComposeFile?.Paths ?? [], Project = ComposeProject };
        composing = composing with { Service = ComposeService ?? composing.Service };
        var reader = new ComposeReader(commands, composing, project.UrlVariables, run!.Secrets);
        return new ComposeParts(new ComposeRunner(run, commands, reader, images, composing), new ComposeChecks(commands, reader));
    }

    private IEnumerable<EnvironmentCheck> ComposeChecks(ComposeParts compose, RunbookEnvironments environments) =>
        Enum.GetValues<TargetEnvironment>()
            .Where(name => RunnerOf(name) == Runner.DockerCompose)
            .SelectMany(name => compose.Checks.Of(name, cancellation => environments.GetAsync(name, cancellation)));

    /// <summary>What runs migrations in Compose, and what asks beforehand whether it could.</summary>
    private sealed record ComposeParts(ComposeRunner Runner, ComposeChecks Checks);
}
