using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tooling;
using Aragora.Runbook.Verification;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Verification;

public sealed class SmokeTestStepTests(RealServer server)
{
    private const string Python = "/usr/bin/python3";

    private const string Good =
        """
        import os, psycopg2, pytest

        def connect():
            return psycopg2.connect(os.environ["DATABASE_URL"])

        @pytest.mark.production_safe
        def test_reads():
            assert os.environ["DATABASE_URL"] == os.environ["ARAGORA_POSTGRES_DSN"]
            with connect() as c, c.cursor() as cursor:
                cursor.execute("select version_num from alembic_version")
                assert cursor.fetchone()[0] == os.environ["ARAGORA_EXPECTED_REVISION"]

        @pytest.mark.production_safe
        def test_skips():
            pytest.skip("not today")

        def test_writes():
            with connect() as c, c.cursor() as cursor:
                cursor.execute("create table written (i int)")
        """;

    [Fact]
    public async Task On_staging_the_whole_suite_runs_and_may_write()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);

        var facts = await RunAsync(run, environment, Good, new SmokeTestOptions { ExpectedRevision = "0010", TreeHash = "tree" });

        (facts.Passed, facts.Skipped, facts.ReadOnly).ShouldBe((2, 1, false));
        File.Exists(facts.ResultsFile).ShouldBeTrue();
        var evidence = run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        evidence.FactsAs<SmokeTestFacts>().ShouldBe(facts);
        evidence.Revisions.ShouldBe(["0010"]);
        evidence.TreeHash.ShouldBe("tree");
    }

    [Fact]
    public async Task On_production_only_marked_tests_run_in_sessions_that_are_read_only()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Production);

        (await RunAsync(run, environment, Good, new SmokeTestOptions { ExpectedRevision = "0010" })).Passed.ShouldBe(1);
        var failure = await FailAsync<FailedCleanException>(run, environment, Good.Replace("def test_writes", "@pytest.mark.production_safe\ndef test_writes", StringComparison.Ordinal), new SmokeTestOptions { ExpectedRevision = "0010" });

        failure.What.ShouldBe("Smoke tests of production: 1 test failed, 0 errors, 1 passed, 1 skipped.");
        failure.Why.ShouldContain("test_writes: psycopg2.errors.ReadOnlySqlTransaction: cannot execute CREATE TABLE in a read-only transaction");
        run.Evidence.ReadAll().Accepted.Select(evidence => evidence.Green).ShouldBe([false, true]);
    }

    [Fact]
    public async Task The_options_of_the_URL_do_not_switch_read_only_off()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Production);
        environment = environment with { Database = environment.Database with { Options = new Dictionary<string, string>(environment.Database.Options) { ["options"] = "-c work_mem=8MB" } } };
        const string Suite =
            """
            import os, psycopg2, pytest

            @pytest.mark.production_safe
            def test_settings():
                with psycopg2.connect(os.environ["DATABASE_URL"]) as c, c.cursor() as cursor:
                    cursor.execute("select current_setting('work_mem'), current_setting('default_transaction_read_only'), current_setting('statement_timeout')")
                    assert cursor.fetchone() == ("8MB", "on", "30s")
            """;

        (await RunAsync(run, environment, Suite, new SmokeTestOptions())).ReadOnly.ShouldBeTrue();
    }

    [Fact]
    public async Task Writes_on_production_are_possible_when_said_and_are_told_loudly()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Production);

        (await RunAsync(run, environment, Good, new SmokeTestOptions { ExpectedRevision = "0010", AllowWrites = true })).Passed.ShouldBe(2);

        (await JournalAsync(run)).ShouldContain("override: smoke tests may write to production");
    }

    [Theory]
    [InlineData("no marked test", "def test_a(): pass", TargetEnvironment.Production, "has no test that may run on production", "1 found, none marked production_safe")]
    [InlineData("no test", "x = 1", TargetEnvironment.Staging, "pytest found no test in", "begins with test")]
    [InlineData("all skipped", "import pytest\ndef test_a(): pytest.skip('x')", TargetEnvironment.Staging, "none passed", "1 test skipped themselves")]
    [InlineData("does not load", "import no_such_module", TargetEnvironment.Staging, "does not load", "ModuleNotFoundError: No module named 'no_such_module'")]
    [InlineData("syntax", "def test_a(:", TargetEnvironment.Staging, "does not load", "SyntaxError")]
    [InlineData("fails", "def test_a():\n    assert 1 == 2, 'one is not two'", TargetEnvironment.Staging, "1 test failed, 0 errors", "test_a: AssertionError: one is not two")]
    [InlineData("fixture", "import pytest\n@pytest.fixture\ndef f(): raise ValueError('broken fixture')\ndef test_a(f): pass", TargetEnvironment.Staging, "0 tests failed, 1 error", "ValueError: broken fixture")]
    [InlineData("dies", "import os\ndef test_a(): os._exit(0)", TargetEnvironment.Staging, "exit code 0, and its results cannot be read", "JUnit XML")]
    [InlineData("crashes", "import os\ndef test_a(): os.kill(os.getpid(), 9)", TargetEnvironment.Staging, "exit code 137, and its results cannot be read", "")]
    [InlineData("interrupted", "def test_a(): raise KeyboardInterrupt", TargetEnvironment.Staging, "interrupted", "KeyboardInterrupt")]
    public async Task Each_way_of_not_being_green_has_its_message(string fault, string suite, TargetEnvironment name, string what, string why)
    {
        var (run, environment) = await ArrangeAsync(name);

        var failure = await FailAsync<FailedCleanException>(run, environment, suite, new SmokeTestOptions());

        failure.What.ShouldContain(what, Case.Sensitive, fault);
        failure.Why.ShouldContain(why, Case.Sensitive, fault);
        failure.Next.ShouldNotBeEmpty();
        var red = run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        red.Green.ShouldBeFalse();
        red.Failure!.ShouldContain(what, Case.Sensitive, fault);
        red.Revisions.ShouldBe(["0010"]);
    }

    [Fact]
    public async Task A_configuration_that_pytest_refuses_is_told()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        await File.WriteAllTextAsync(Path.Combine(run.Root, "pytest.ini"), "[pytest]\naddopts = --no-such-option\n");

        (await FailAsync<FailedCleanException>(run, environment, Good, new SmokeTestOptions())).What.ShouldContain("usage error");
    }

    [Fact]
    public async Task After_a_rollback_another_rollback_is_no_advice()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Production);

        var failure = await FailAsync<NeedsPersonException>(run, environment, "import pytest\n@pytest.mark.production_safe\ndef test_a(): assert False", new SmokeTestOptions { AfterFailure = AfterFailure.RolledBack });

        failure.Next.ShouldNotContain("Rollback");
        failure.Next.ShouldContain("./build.sh Contacts");
    }

    [Fact]
    public async Task After_a_migration_a_failure_needs_a_person_and_offers_the_rollback()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Production);

        var failure = await FailAsync<NeedsPersonException>(run, environment, "import pytest\n@pytest.mark.production_safe\ndef test_a(): assert False", new SmokeTestOptions { AfterFailure = AfterFailure.NeedsPerson });

        failure.Next.ShouldContain("./build.sh Rollback --target-environment production --strategy Downgrade --revision -1");
    }

    [Fact]
    public async Task A_missing_suite_is_bad_input()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);

        var failure = await Should.ThrowAsync<BadInputException>(() => Step(run).RunAsync(environment, new SmokeTestOptions { Suite = "none.py" }, CancellationToken.None));

        failure.Message.ShouldContain("none.py");
    }

    [Fact]
    public async Task A_database_at_another_revision_is_not_tested()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);

        var failure = await FailAsync<FailedCleanException>(run, environment, Good, new SmokeTestOptions { ExpectedRevision = "0011" });

        failure.Message.ShouldContain("not at 0011");
        failure.Message.ShouldContain("it is at 0010");
        run.Evidence.ReadAll().Accepted.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_without_a_revision_is_at_the_base()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        await RealServer.SqlAsync(environment, "DELETE FROM alembic_version");

        (await RunAsync(run, environment, "def test_a(): pass", new SmokeTestOptions { ExpectedRevision = "base" })).Passed.ShouldBe(1);
    }

    [Fact]
    public async Task Tests_say_nothing_about_a_schema_that_moved_under_them()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        const string Suite =
            """
            import os, psycopg2

            def test_migrates():
                with psycopg2.connect(os.environ["DATABASE_URL"]) as c, c.cursor() as cursor:
                    cursor.execute("update alembic_version set version_num = '0011'")
            """;

        (await FailAsync<FailedCleanException>(run, environment, Suite, new SmokeTestOptions())).What.ShouldContain("was migrated while they ran");
    }

    [Fact]
    public async Task A_suite_that_never_ends_is_ended()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);

        var failure = await FailAsync<FailedCleanException>(run, environment, "import threading\ndef test_a(): threading.Event().wait()", new SmokeTestOptions { Deadline = TimeSpan.FromSeconds(2) });

        failure.What.ShouldBe("The smoke tests did not end within 2.0 s.");
    }

    [Fact]
    public async Task The_password_is_in_no_log_no_journal_and_no_result_and_no_line_gives_orders()
    {
        var log = new Lines();
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging, new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(log).CreateLogger());
        const string Suite =
            """
            import os

            def test_a():
                print("::error::owned")
                assert False, os.environ["DATABASE_URL"]
            """;

        var failure = await FailAsync<FailedCleanException>(run, environment, Suite, new SmokeTestOptions());

        var password = environment.Database.Password!;
        failure.ToString().ShouldNotContain(password);
        failure.Why.ShouldContain("***");
        (await JournalAsync(run)).ShouldNotContain(password);
        (await File.ReadAllTextAsync(Path.Combine(run.Folder, "smoke-staging.xml"))).ShouldNotContain(password);
        log.All.ShouldAllBe(line => !line.Contains(password, StringComparison.Ordinal) && !line.StartsWith("::", StringComparison.Ordinal));
        log.All.ShouldContain(@"\::error::owned");
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_is_red_and_known_by_its_address()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        var gone = environment with { Database = environment.Database with { Database = "no_such_database" } };

        await FailAsync<BadInputException>(run, gone, Good, new SmokeTestOptions());

        var red = run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        red.Failure!.ShouldContain("no_such_database");
        (red.Database.SystemIdentifier, red.Database.Endpoint, red.Database.DatabaseName).ShouldBe(("", environment.Database.Endpoint, "no_such_database"));
    }

    [Fact]
    public async Task A_caller_without_an_expectation_tells_the_suite_the_revision_that_is_there()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);

        (await RunAsync(run, environment, "import os\ndef test_a(): assert os.environ['ARAGORA_EXPECTED_REVISION'] == '0010'", new SmokeTestOptions())).Passed.ShouldBe(1);
    }

    [Fact]
    public async Task A_secret_that_is_a_word_of_the_results_markup_does_not_break_them()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        foreach (var secret in new[] { "test", "failure", "name", "0.0" })
        {
            run.Secrets.Add(secret);
        }

        (await RunAsync(run, environment, "def test_a(): pass", new SmokeTestOptions())).Passed.ShouldBe(1);
        var failure = await FailAsync<FailedCleanException>(run, environment, "def test_a(): assert False, 'my test is red'", new SmokeTestOptions());

        failure.What.ShouldContain("1 test failed");
        failure.Why.ShouldContain("my *** is red");
    }

    [Theory]
    [InlineData("Ctrl-C", "<testsuites><testcase name='x'><failure message='SECRET'/></testcase></testsuites>")]
    [InlineData("Ctrl-C", "<testsuites><testcase name='SECRET")]
    [InlineData("timeout", "<testsuites><testcase name='SECRET")]
    public async Task Results_of_a_run_that_was_ended_are_masked_too(string end, string xml)
    {
        var environment = await server.NewDatabaseAsync(TargetEnvironment.Staging);
        var run = RealServer.NewRun();
        await File.WriteAllTextAsync(Path.Combine(run.Root, "test_suite.py"), "");
        using var cancel = new CancellationTokenSource();
        var pytest = new EndedPytest(end == "timeout" ? null : cancel, xml.Replace("SECRET", environment.Database.Password!, StringComparison.Ordinal));
        var step = new SmokeTestStep(run, pytest, new SystemPython());

        await Should.ThrowAsync<Exception>(() => step.RunAsync(environment, new SmokeTestOptions { Suite = "test_suite.py", Deadline = end == "timeout" ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromMinutes(5) }, cancel.Token));

        (await File.ReadAllTextAsync(Path.Combine(run.Folder, "smoke-staging.xml"))).ShouldContain("***");
        (await File.ReadAllTextAsync(Path.Combine(run.Folder, "smoke-staging.xml"))).ShouldNotContain(environment.Database.Password!);
        run.Evidence.ReadAll().Accepted.Count.ShouldBe(end == "timeout" ? 1 : 0);
    }

    [Fact]
    public async Task A_second_run_keeps_the_results_of_the_first()
    {
        var (run, environment) = await ArrangeAsync(TargetEnvironment.Staging);
        const string Suite = "def test_a(): pass";

        var first = await RunAsync(run, environment, Suite, new SmokeTestOptions());
        var second = await RunAsync(run, environment, Suite, new SmokeTestOptions());

        Path.GetFileName(first.ResultsFile).ShouldBe("smoke-staging.xml");
        Path.GetFileName(second.ResultsFile).ShouldBe("smoke-staging-2.xml");
    }

    [Fact]
    public void The_command_line_holds_no_secret_and_its_surroundings_deselect_nothing()
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u:p%40ss@h/d", "x") };

        var command = SmokeTestCommand.Create(new PythonTool("py", "pytest", "7", "psycopg2", "here"), environment, new SmokeTestOptions { ExpectedRevision = "r1" }, "/suite/test_database.py", "/run/smoke.xml");

        command.ToString().ShouldBe("py -m pytest /suite/test_database.py --junitxml=/run/smoke.xml -p no:cacheprovider -q -m production_safe");
        command.WorkingDirectory.ShouldBe("/suite");
        string.Join('\n', command.Environment.Where(pair => pair.Value is not null || !pair.Key.StartsWith("PG", StringComparison.Ordinal)).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value ?? "(removed)"}")).ShouldBe(
            """
            ARAGORA_ENVIRONMENT=production
            ARAGORA_EXPECTED_REVISION=r1
            ARAGORA_POSTGRES_DSN=postgresql://u:p%40ss@h:5432/d
            ARAGORA_READ_ONLY=1
            DATABASE_URL=postgresql://u:p%40ss@h:5432/d
            PGAPPNAME=aragora-smoke
            PGDATABASE=d
            PGHOST=h
            PGOPTIONS=-c default_transaction_read_only=on -c statement_timeout=30000
            PGPORT=5432
            PGUSER=u
            PYTEST_ADDOPTS=(removed)
            PYTEST_PLUGINS=(removed)
            PYTHONDONTWRITEBYTECODE=1
            PYTHONIOENCODING=utf-8
            PYTHONUNBUFFERED=1
            """);
    }

    private async Task<(RunContext Run, DatabaseEnvironment Environment)> ArrangeAsync(TargetEnvironment name, ILogger? log = null)
    {
        var probe = File.Exists(Python) ? await server.Commands.RunAsync(new Command { Program = Python, Arguments = ["-c", "import pytest, psycopg2"] }) : null;
        Assert.SkipWhen(probe is not { Succeeded: true }, $"{Python} has no pytest or no psycopg2");
        var environment = await server.NewDatabaseAsync(name);
        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('0010')");
        return (RealServer.NewRun(log), environment);
    }

    private static async Task<string> JournalAsync(RunContext run)
    {
        await using var file = new FileStream(run.Journal.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync();
    }

    private SmokeTestStep Step(RunContext run) => new(run, server.Commands, new SystemPython());

    private async Task<SmokeTestFacts> RunAsync(RunContext run, DatabaseEnvironment environment, string suite, SmokeTestOptions options)
    {
        await File.WriteAllTextAsync(Path.Combine(run.Root, "test_suite.py"), suite);
        return await Step(run).RunAsync(environment, options with { Suite = "test_suite.py" }, CancellationToken.None);
    }

    private Task<T> FailAsync<T>(RunContext run, DatabaseEnvironment environment, string suite, SmokeTestOptions options)
        where T : Exception => Should.ThrowAsync<T>(() => RunAsync(run, environment, suite, options));

    /// <summary>Writes its results, and is ended before it ends.</summary>
    private sealed class EndedPytest(CancellationTokenSource? cancel, string xml) : ICommandRunner
    {
        public async Task<CommandResult> RunAsync(Command command, Action<string, bool>? onLine = null, CancellationToken cancellation = default)
        {
            await File.WriteAllTextAsync(command.Arguments.Single(argument => argument.StartsWith("--junitxml=", StringComparison.Ordinal))["--junitxml=".Length..], xml, CancellationToken.None);
            await (cancel?.CancelAsync() ?? Task.CompletedTask);
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException();
        }
    }

    private sealed class SystemPython : IPythonTools
    {
        public Task<PythonTool> AlembicAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public Task<PythonTool> PytestAsync(CancellationToken cancellation) => Task.FromResult(new PythonTool(Python, "pytest", "7", "psycopg2", "system packages"));
    }

    private sealed class Lines : ILogEventSink
    {
        public List<string> All { get; } = [];

        public void Emit(LogEvent logEvent)
        {
            lock (All)
            {
                All.Add(logEvent.RenderMessage());
            }
        }
    }
}
