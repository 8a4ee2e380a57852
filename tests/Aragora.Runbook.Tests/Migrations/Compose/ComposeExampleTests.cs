using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

public sealed class ComposeExampleTests(RealServer server)
{
    /// <summary>Special in a URL, in YAML and to Compose.</summary>
    private const string Password = "s3:cret@p d/1";

    [Fact]
    public async Task The_example_brings_up_its_database_and_migrates_it_with_the_build()
    {
        await using var scene = await ComposeScene.NewAsync(server, tree => tree.AddTables(1), build: false);
        Assert.SkipUnless(await scene.Engine.HasImageAsync("postgres:15", CancellationToken.None), "the image postgres:15 is not here, and tests fetch none");
        var folder = Path.Combine(scene.Folder, "migrations");
        Copy(Path.Combine(Repository(), "migrations"), folder);
        var port = LoopbackPort.Free();
        await System.IO.File.WriteAllTextAsync(Path.Combine(folder, ".env"), $"POSTGRES_PASSWORD='{Password}'\nPOSTGRES_PORT={port}\n");
        var project = new AlembicProject { ConfigFile = Path.Combine(folder, "alembic.ini") };
        var options = new ComposeOptions { Root = scene.Folder, Files = [Path.Combine(folder, "compose.yaml")], Project = scene.Id };
        scene.Environment = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = PostgresUrl.Parse($"postgresql://aragora:{Uri.EscapeDataString(Password)}@127.0.0.1:{port}/aragora", "test") };
        var up = await server.Commands.RunAsync(new() { Program = scene.Tool.Program, Arguments = [.. scene.Tool.Prefix, "-f", options.Files[0], "-p", scene.Id, "up", "-d", "postgres"] });
        up.Succeeded.ShouldBeTrue(up.Error);
        (await ServerProbe.WaitAsync(scene.Environment.Database, TimeSpan.FromSeconds(60), () => Task.FromResult(true), CancellationToken.None)).ShouldBeTrue();

        var tree = await new MigrationsTreeReader(server.Commands, scene.Tree.Python).ReadAsync(project, CancellationToken.None);
        var runner = new ComposeRunner(scene.Run, server.Commands, new ComposeReader(server.Commands, options, project.UrlVariables, scene.Run.Secrets), new ImageCheck(server.Commands, scene.Tree.Python, project), options);
        var result = await new Migrator(scene.Run, server.Commands, runner, new MigratorOptions()).MigrateAsync(scene.Environment, tree, "head", gate: null, CancellationToken.None);

        result.After.Revisions.ShouldBe(tree.Heads);
        result.Facts.Applied.Count.ShouldBe(tree.Revisions.Count);
        (await scene.OneOffsAsync()).ShouldBeEmpty();
        scene.Log.All.ShouldNotContain(line => line.Contains(Password, StringComparison.Ordinal));
    }

    private static string Repository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(at.FullName, "Aragora.Build.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException("There is no checkout above the tests.");
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(file => !file.Contains("__pycache__", StringComparison.Ordinal)))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            System.IO.File.Copy(file, copy);
        }
    }
}
