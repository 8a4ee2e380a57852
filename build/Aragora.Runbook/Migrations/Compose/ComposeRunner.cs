using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Runs Alembic in a one-off container of a Compose service.</summary>
/// <remarks>
/// The container does not depend on this process: killed with it is nothing, and the next run finds the container by its labels and follows it. So a cancellation stops it by name:
/// the statement is cancelled on the server first, so that Alembic rolls back and ends by itself; then SIGTERM and SIGKILL by the engine; then what is left of its sessions is terminated.
/// Its name is the same for every migration of a database: the engine itself refuses a second one.
/// </remarks>
/// <param name="run">The run.</param>
/// <param name="commands">Runs Compose.</param>
/// <param name="reader">Reads the Compose files.</param>
/// <param name="image">Compares tree and database as seen from inside the service.</param>
/// <param name="options">How long what may take.</param>
public sealed class ComposeRunner(RunContext run, ICommandRunner commands, ComposeReader reader, ImageCheck image, ComposeOptions options) : IMigrationRunner
{
    private string? checkedImage;

    /// <inheritdoc/>
    public string Name => "docker compose";

    /// <inheritdoc/>
    public async Task<RunningMigration?> FindRunningAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        using var engine = await ComposeEngine.ConnectAsync(commands, cancellation);
        return await FindAsync(engine, await IdentityAsync(environment, cancellation), cancellation);
    }

    /// <inheritdoc/>
    public async Task RequireReadyAsync(DatabaseEnvironment environment, DatabaseFacts now, MigrationsTree tree, CancellationToken cancellation)
    {
        using var engine = await ComposeEngine.ConnectAsync(commands, cancellation);
        await ReapAsync(engine, now.Identity, cancellation);
        var project = await ReadAsync(environment, cancellation);
        var alembic = await AlembicAsync(engine, project, cancellation);
        var words = image.Command(alembic.Configuration);
        var name = $"aragora-check-{environment.DisplayName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))}";
        var container = new OneOffContainer(run, commands, engine, options, name);
        var arguments = project.Run(name, OneOffLabels.ForCheck(environment, now.Identity, run.RunId), new Dictionary<string, string>(StringComparer.Ordinal), alembic.EntrypointIsAlembic ? words[0] : null, alembic.EntrypointIsAlembic ? [.. words.Skip(1)] : words);
        var lines = new List<string>();
        run.Log.Information("Asking the {Service:l} which migrations it holds, and which database it reaches", project.Service.Noun);
        var end = await run.Journal.ActAsync($"ask the service {project.Service.Name}", new { container = name, tool = project.Tool.ToString() }, async () =>
        {
            try
            {
                await container.StartAsync(project, environment, arguments, cancellation);
                return await FollowCheckAsync(container, project.Service, lines, cancellation);
            }
            finally
            {
                await container.RemoveAsync();
            }
        });
        if (end is not null && ContainerEnds.Explain(end, name, project.Service, lines.LastOrDefault() ?? "") is { } broken)
        {
            throw new RefusedException(broken.What, broken.Why, broken.Next + "; nothing was moved");
        }

        await image.RequireAsync(lines, project.Service.Described, environment, now, cancellation);
        checkedImage = end?.ImageId;
    }

    /// <inheritdoc/>
    public async Task<RunnerResult> RunAsync(RunnerRequest request, Action<string> onLine, CancellationToken cancellation)
    {
        using var engine = await ComposeEngine.ConnectAsync(commands, cancellation);
        var project = await ReadAsync(request.Environment, cancellation);
        var database = await IdentityAsync(request.Environment, cancellation);
        var name = request.Following is { } running ? OneOffLabels.ContainerOf(running) : NameOf(request.Environment, database);
        var container = new OneOffContainer(run, commands, engine, options, name);
        var migration = new MigrationContainer(run, container, name, project.Service, new MigrationSessions(request.Environment), request.ApplicationName, options);
        if (request.Following is null)
        {
            await ReapAsync(engine, database, cancellation);
            var alembic = await AlembicAsync(engine, project, cancellation);
            var arguments = project.Run(name, OneOffLabels.For(request, database), Variables(project.Service, request), entrypoint: null, alembic.To(request.Direction, request.Revision));
            run.Log.Information("{Tool:l}: {Command:l} in the {Service:l}, container {Container:l}", project.Tool.ToString(), string.Join(' ', alembic.To(request.Direction, request.Revision)), project.Service.Noun, name);
            run.Journal.Note("start container", new { container = name, command = new Command { Program = project.Tool.Program, Arguments = arguments }.ToString() });
            try
            {
                await container.StartAsync(project, request.Environment, arguments, cancellation);
                await RequireCheckedImageAsync(engine, name, project.Service, cancellation);
            }
            catch (Exception ended) when (ended is OperationCanceledException or NeedsPersonException || DockerEngine.IsTrouble(ended))
            {
                // Compose may have started it a moment before it was ended itself.
                using var ending = new CancellationTokenSource();
                await migration.EndAsync(Task.CompletedTask, ending);
                if (DockerEngine.IsTrouble(ended))
                {
                    throw new NeedsPersonException($"The Docker engine was lost right after the container {name} was started.", ended.Message, "./build.sh Status; then repeat the command: a container that still runs is followed", ended);
                }

                throw;
            }
        }

        return await migration.FollowAsync(onLine, cancellation);
    }

    /// <summary>The variables that are added to a service's own: name and limits of the session. Nothing in them is a secret.</summary>
    internal static IReadOnlyDictionary<string, string> Variables(ComposeService service, RunnerRequest request)
    {
        var variables = new Dictionary<string, string>(AlembicVariables.Limits(request.Budget, request.ApplicationName), StringComparer.Ordinal);
        foreach (var (name, value) in Tooling.PythonEnvironment.Variables)
        {
            variables[name] = value!;
        }

        if (service.Environment.GetValueOrDefault("PGOPTIONS") is { Length: > 0 } theirs)
        {
            variables["PGOPTIONS"] = $"{theirs} {variables["PGOPTIONS"]}";
        }

        return variables;
    }

    /// <summary>The container of a database's migrations.</summary>
    internal static string NameOf(DatabaseEnvironment environment, DatabaseIdentity database) =>
        $"aragora-migration-{environment.DisplayName}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(OneOffLabels.Of(database))))[..10]}";

    private static async Task<DatabaseIdentity> IdentityAsync(DatabaseEnvironment environment, CancellationToken cancellation) => (await DatabaseInspector.ReadAsync(environment, cancellation)).Identity;

    private static async Task<RunningMigration?> FindAsync(DockerEngine engine, DatabaseIdentity database, CancellationToken cancellation)
    {
        var found = await engine.FindAllAsync([OneOffLabels.Of(database), $"{OneOffLabels.Role}={OneOffLabels.Migration}"], cancellation);
        return found.FirstOrDefault(IsAtWork) is { } container ? OneOffLabels.Read(container.Name, container.Labels) : null;
    }

    private static bool IsAtWork(ContainerSeen container) => container.State is "running" or "paused" or "restarting";

    /// <summary>The entry point and command that count are the service's, else its image's.</summary>
    private static async Task<AlembicCommand> AlembicAsync(DockerEngine engine, ComposeProject project, CancellationToken cancellation)
    {
        var service = project.Service;
        var inside = service.Image is null || (service.Entrypoint is not null && service.Command is not null) ? null : await engine.FindImageAsync(service.Image, cancellation);

        // A service's own entry point voids its image's command.
        return AlembicCommand.Of(service.Entrypoint ?? inside?.Entrypoint ?? [], service.Command ?? (service.Entrypoint is null ? inside?.Command : null) ?? [], service.Environment);
    }

    /// <summary>A name of an image may mean another one a moment later.</summary>
    private async Task RequireCheckedImageAsync(DockerEngine engine, string name, ComposeService service, CancellationToken cancellation)
    {
        if (checkedImage is { Length: > 0 } image && await engine.StateAsync(name, cancellation) is { } started && started.ImageId != image)
        {
            throw new NeedsPersonException($"{service.Described} was started from another image than was checked.", $"{image} was checked, and {started.ImageId} ran until it was stopped: somebody built or pulled it in between", "./build.sh Status   then repeat the command, which checks the new one");
        }
    }

    private async Task<ComposeProject> ReadAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var project = await reader.ReadAsync(environment, cancellation);
        foreach (var name in project.Unset)
        {
            run.Log.Warning("The Compose files want the variable {Variable}, which is not set: it is empty there", name);
        }

        return project;
    }

    /// <summary>Clears away what dead runs left of this database. Under the database's lock: nobody else has a container of it then.</summary>
    private async Task ReapAsync(DockerEngine engine, DatabaseIdentity database, CancellationToken cancellation)
    {
        if (await FindAsync(engine, database, cancellation) is { } running)
        {
            throw new RefusedException("A migration that an earlier run started is still at work.", $"{running.Name}, of run {running.RunId}", "repeat the command: it is followed to its end");
        }

        foreach (var left in await engine.FindAllAsync([OneOffLabels.Of(database), OneOffLabels.Role], cancellation))
        {
            var state = await engine.StateAsync(left.Name, cancellation);
            await run.Journal.ActAsync($"remove the container {left.Name}", new { state?.Status, state?.ExitCode }, async () =>
            {
                await engine.RemoveAsync(left.Name, cancellation);
                return true;
            });
            run.Log.Information("Removed {Container:l}, which an earlier run left behind ({Status:l}, exit code {ExitCode})", left.Name, state?.Status ?? "gone", state?.ExitCode ?? 0);
        }
    }

    private async Task<ContainerState?> FollowCheckAsync(OneOffContainer container, ComposeService service, List<string> lines, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.CheckPatience);
        try
        {
            return await container.FollowAsync(lines.Add, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new RefusedException($"{service.Described} did not say within {options.CheckPatience.TotalSeconds:0} s which migrations it holds.", lines.LastOrDefault() ?? "it said nothing; perhaps it cannot reach its database", "look at the service's network and its database's URL; nothing was moved");
        }
        catch (EngineLostException lost)
        {
            throw new RefusedException("The Docker engine was lost before anything was moved.", lost.Message, "repeat the command once it answers", lost);
        }
    }
}
