using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Applications.Compose;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A real engine, real Compose, containers with real sessions.</summary>
public sealed class ComposeServiceTests(LabDatabase database) : IAsyncLifetime
{
    private static readonly ICommandRunner Commands = BackupScenario.Commands;
    private readonly string folder = TestFolders.New("compose");
    private readonly string project = $"aragora-app-{Guid.NewGuid().ToString("N")[..8]}";
    private ComposeTool compose = null!;

    private ComposeLocation Location => new(folder, [Path.Combine(folder, "app.yaml")], project);

    public async ValueTask InitializeAsync()
    {
        try
        {
            compose = await ComposeTool.FindAsync(Commands, CancellationToken.None);
        }
        catch (BadInputException none)
        {
            Assert.Skip($"no Docker Compose on this machine: {none.Why}");
        }

        var image = await Commands.RunAsync(new Command { Program = "docker", Arguments = ["image", "inspect", "aragora/api:latest"] });
        Assert.SkipWhen(!image.Succeeded, "no Docker engine with the image aragora/api:latest on this machine");
    }

    public async ValueTask DisposeAsync()
    {
        if (compose is not null && File.Exists(Path.Combine(folder, "app.yaml")))
        {
            await ComposeAsync("down", "--timeout", "1");
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_service_goes_from_two_containers_to_none_and_back_around_a_restore()
    {
        var shop = await ApplicationScenario.NewAsync(database);
        await UpAsync(LabDatabase.Dsn(shop.Environment));
        await ClusterBench.UntilAsync(async () => await shop.ApplicationSessionsAsync() == 2, "both have a session");
        var part = new ComposeServicePart(shop.Run, Commands, Location, ApplicationName.Parse("compose/api"), shop.Environment);

        var result = await shop.RestoreAsync([part]);

        (await shop.GenerationAsync()).ShouldBe(1);
        result.Facts.Application!.Failure.ShouldBeNull();
        result.Facts.Application.Parts.ShouldHaveSingleItem().PutBack.ShouldBe("2 containers as before");
        result.Facts.Application.Parts[0].Images.ShouldBe(["aragora/api:latest"]);
        (await part.LookAsync(CancellationToken.None)).ShouldSatisfyAllConditions(seen => seen.Replicas.ShouldBe(2), seen => seen.Note.ShouldBeNull());
        await ClusterBench.UntilAsync(async () => await shop.ApplicationSessionsAsync() == 2, "both have a session in the restored database");
        TestContext.Current.SendDiagnosticMessage("compose: stop {0}, fence {1}, start {2}", result.Facts.Application.StopTook, result.Facts.Unavailable, result.Facts.Application.StartTook);
    }

    [Fact]
    public async Task A_later_run_on_this_machine_finds_what_a_dead_one_stopped_in_its_journal()
    {
        var scenario = new StopScenario(await database.NewDatabaseAsync());
        await UpAsync(dsn: "");
        var dead = scenario.NewRun();
        var part = new ComposeServicePart(dead, Commands, Location, ApplicationName.Parse("compose/api"), scenario.Environment);
        await scenario.StopAsync(scenario.Control(dead, part), dead);
        (await part.LookAsync(CancellationToken.None)).Replicas.ShouldBe(0);

        RunContext later = scenario.NewRun(dead);
        var control = scenario.Control(later, new ComposeServicePart(later, Commands, Location, ApplicationName.Parse("compose/api"), scenario.Environment));
        (await control.LookAsync(CancellationToken.None)).ShouldHaveSingleItem().Note.ShouldNotBeNull().ShouldSatisfyAllConditions(note => note.Run.ShouldBe(dead.RunId), note => note.Replicas.ShouldBe(2));
        var put = await control.PutBackAsync(isAsked: true, waits: true, CancellationToken.None);

        put.Failure.ShouldBeNull();
        put.Done["compose/api"].ShouldBe("2 containers as before");
        (await control.LookAsync(CancellationToken.None)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(seen => seen.Replicas.ShouldBe(2), seen => seen.Note.ShouldBeNull("it is put back, and the journal says so"));
    }

    [Fact]
    public async Task What_was_left_stopped_on_purpose_is_started_when_a_person_asks_and_not_before()
    {
        var scenario = new StopScenario(await database.NewDatabaseAsync());
        await UpAsync(dsn: "");
        var leaving = scenario.NewRun();
        ApplicationControl Of(RunContext run) => scenario.Control(run, new ComposeServicePart(run, Commands, Location, ApplicationName.Parse("compose/api"), scenario.Environment));
        var first = Of(leaving);
        await scenario.StopAsync(first, leaving);
        await first.LeaveStoppedAsync(new NeedsPersonException("Nobody knows what it is.", "it was not seen", "look"));

        var failing = scenario.NewRun(leaving);
        var second = Of(failing);
        (await second.PutBackAsync(isAsked: false, waits: true, CancellationToken.None)).Done.ShouldBeEmpty();
        await scenario.StopAsync(second, failing);
        (await second.ReturnAsync()).ShouldBeNull();

        var asked = Of(scenario.NewRun(leaving));
        (await asked.LookAsync(CancellationToken.None)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(seen => seen.Replicas.ShouldBe(0), seen => seen.Note.ShouldNotBeNull().LeftBecause.ShouldBe("Nobody knows what it is."));
        (await asked.PutBackAsync(isAsked: true, waits: true, CancellationToken.None)).Done["compose/api"].ShouldBe("2 containers as before");
        (await asked.LookAsync(CancellationToken.None)).ShouldHaveSingleItem().Note.ShouldBeNull();
    }

    /// <summary>Whoever types it stands anywhere, and the file was named from the checkout.</summary>
    [Fact]
    public async Task The_line_that_is_printed_to_start_it_by_hand_starts_it()
    {
        var scenario = new StopScenario(await database.NewDatabaseAsync());
        await UpAsync(dsn: "");
        var run = scenario.NewRun();
        var part = new ComposeServicePart(run, Commands, Location with { Files = ["app.yaml"] }, ApplicationName.Parse("compose/api"), scenario.Environment);
        await scenario.StopAsync(scenario.Control(run, part), run);

        var typed = await Commands.RunAsync(new Command { Program = "sh", Arguments = ["-c", part.StartingCommand(2)], WorkingDirectory = "/" });

        typed.Succeeded.ShouldBeTrue(typed.Error);
        (await part.LookAsync(CancellationToken.None)).Replicas.ShouldBe(2);
    }

    [Fact]
    public async Task Somebody_who_starts_it_again_ends_the_stop()
    {
        var scenario = new StopScenario(await database.NewDatabaseAsync());
        await UpAsync(dsn: "");
        var run = scenario.NewRun();
        var part = new ComposeServicePart(run, Commands, Location, ApplicationName.Parse("compose/api"), scenario.Environment);
        await part.StopAsync(await part.LookAsync(CancellationToken.None), run.RunId, run.Clock.GetUtcNow(), CancellationToken.None);
        await ComposeAsync("start", "api");

        (await part.RemainsAsync(CancellationToken.None)).UndoneBy.ShouldNotBeNull().ShouldContain("somebody started it");
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_refused_by_name()
    {
        await UpAsync(dsn: "");
        var run = RealServer.NewRun();
        var environment = await database.NewDatabaseAsync();

        var unknown = await Should.ThrowAsync<BadInputException>(() => new ComposeServicePart(run, Commands, Location, ApplicationName.Parse("compose/worker"), environment).LookAsync(CancellationToken.None));
        await ComposeAsync("rm", "--force", "--stop", "api");
        var none = await Should.ThrowAsync<RefusedException>(() => new ComposeServicePart(run, Commands, Location, ApplicationName.Parse("compose/api"), environment).LookAsync(CancellationToken.None));

        unknown.What.ShouldBe("compose/worker cannot be asked for.");
        unknown.Why.ShouldContain("worker");
        none.What.ShouldBe("There is no container of compose/api.");
    }

    [Fact]
    public void The_arguments_before_the_command_are_files_and_project()
    {
        new ComposeLocation("/r", ["a.yaml", "b.yaml"], "shop").Arguments.ShouldBe(["--file", "a.yaml", "--file", "b.yaml", "--project-name", "shop"]);
        new ComposeLocation("/nowhere", [], null).Arguments.ShouldBe(["--file", "migrations/compose.yaml"]);
    }

    private async Task UpAsync(string dsn)
    {
        var program = "import os, time, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nimport psycopg2\nwhile True:\n    try:\n        session = psycopg2.connect(os.environ['DSN'], application_name='aragora-api') if os.environ['DSN'] else None\n        while True:\n            session and session.cursor().execute('SELECT 1')\n            time.sleep(0.2)\n    except Exception as failure:\n        time.sleep(0.2)\n";
        await File.WriteAllTextAsync(Path.Combine(folder, "app.py"), program);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "app.yaml"),
            $$"""
            services:
              api:
                image: aragora/api:latest
                network_mode: bridge
                command: ["python3", "/app/app.py"]
                volumes: ["{{folder}}:/app:ro"]
                environment:
                  DSN: "{{dsn}}"
            """);
        await ComposeAsync("up", "--detach", "--scale", "api=2");
    }

    private async Task ComposeAsync(params string[] arguments)
    {
        var result = await Commands.RunAsync(new Command { Program = compose.Program, Arguments = [.. compose.Prefix, .. Location.Arguments, .. arguments] });
        result.Succeeded.ShouldBeTrue(result.Error);
    }
}
