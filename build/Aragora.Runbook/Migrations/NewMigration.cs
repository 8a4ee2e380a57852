using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Migrations;

/// <summary>Writes the file of a new migration from the tree's own template.</summary>
public sealed class NewMigration(RunContext run, ICommandRunner commands, IPythonTools python, MigrationsTreeReader trees, AlembicProject project)
{
    /// <summary>Runs <c>alembic revision</c>.</summary>
    /// <param name="message">What it does; becomes part of the file's name.</param>
    /// <param name="autogenerateFrom">Compares the tree's metadata with this database, which must be at head (<c>--autogenerate</c>); null writes an empty one and needs no database.</param>
    /// <param name="cancellation">Ends Alembic.</param>
    /// <returns>The new revision and its file.</returns>
    /// <exception cref="BadInputException">No message; a tree that does not load.</exception>
    /// <exception cref="FailedCleanException">Alembic refused; the message holds its complaint.</exception>
    public async Task<Revision> CreateAsync(string message, DatabaseEnvironment? autogenerateFrom, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(message))
        {
            throw new BadInputException("A migration needs a message.", "", "./build.sh NewMigration --message \"Add users.nickname\"");
        }

        var before = await trees.ReadAsync(project, cancellation);
        if (before.Revisions.Count > 0)
        {
            before.SingleHead();
        }

        run.Secrets.Add(autogenerateFrom?.Database.Password);
        return await run.Journal.ActAsync("write a new migration", new { message, autogenerate = autogenerateFrom is not null }, () => WriteAsync(message, autogenerateFrom, before, cancellation));
    }

    private async Task<Revision> WriteAsync(string message, DatabaseEnvironment? autogenerateFrom, MigrationsTree before, CancellationToken cancellation)
    {
        var alembic = await python.AlembicAsync(cancellation);
        var result = await commands.RunAsync(
            new Command
            {
                Program = alembic.Interpreter,
                // One word, so that a message may begin with a dash.
                Arguments = ["-m", alembic.Module, "-c", project.ConfigFile, "revision", .. autogenerateFrom is null ? Array.Empty<string>() : ["--autogenerate"], $"--message={message}"],
                WorkingDirectory = project.Folder,
                Environment = autogenerateFrom is null ? PythonEnvironment.Variables : AlembicVariables.For(project, autogenerateFrom.Database, new LockBudget(), "aragora-autogenerate"),
            },
            cancellation: cancellation);
        if (!result.Succeeded)
        {
            throw new FailedCleanException(
                "Alembic did not write a new migration.",
                run.Secrets.Apply(result.Tail(6)),
                autogenerateFrom is null ? "./build.sh History" : $"./build.sh Migrate{autogenerateFrom.Name}   if that database is behind head; then repeat the command");
        }

        var after = await trees.ReadAsync(project, cancellation);
        var created = after.Revisions.FirstOrDefault(revision => before.Find(revision.Id) is null)
                      ?? throw new FailedCleanException("Alembic reported success, but there is no new migration.", run.Secrets.Apply(result.Tail(6)), "./build.sh History");
        run.Log.Information("New migration {Revision}: {File}", created.Id, created.File);
        return created;
    }
}
