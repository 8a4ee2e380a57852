using Aragora.Runbook.Environments;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Kubernetes;
using Aragora.Runbook.Outcomes;
using k8s;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

public sealed class JobComposerTests
{
    private const string RunId = "20261122T190455Z-3f9c";
    private static readonly DatabaseIdentity Database = new("7301234567890123456", 1, 16384, "aragora", "db:5432");
    private static readonly JobOrder Order = new(TargetEnvironment.Production, RunId, MigrationDirection.Upgrade, "d13f60a8b75e", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "aragora-migrate-" + RunId, new LockBudget());
    private static readonly KubernetesRunnerOptions Options = new() { JobFile = ClusterScenario.JobFile };

    [Fact]
    public void The_composed_job_is_the_job_file_with_what_this_run_adds()
    {
        var options = Options with { Image = "registry/api:7", ServiceAccount = "migrator", Secret = "aragora-database", Cpu = "500m", Memory = "512Mi", Deadline = TimeSpan.FromHours(2), Retention = TimeSpan.FromDays(2) };

        var job = new JobComposer(JobTemplate.Read(options.JobFile), options).Migration(Order, Database, pinnedImage: "registry/api@sha256:abc");

        KubernetesYaml.Serialize(job).ReplaceLineEndings("\n").TrimEnd().ShouldBe("""
            apiVersion: batch/v1
            kind: Job
            metadata:
              annotations:
                aragora.build/run: 20261122T190455Z-3f9c
                aragora.build/direction: upgrade
                aragora.build/revision: d13f60a8b75e
                aragora.build/tree: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
                aragora.build/application-name: aragora-migrate-20261122T190455Z-3f9c
              labels:
                app.kubernetes.io/name: aragora-migration
                app.kubernetes.io/part-of: aragora
                app.kubernetes.io/managed-by: aragora-build
                aragora.build/purpose: migration
                aragora.build/environment: production
                aragora.build/run: 20261122T190455Z-3f9c
                aragora.build/database: e24db9214bf3fbfe
                aragora.build/direction: upgrade
                aragora.build/revision: d13f60a8b75e
                aragora.build/tree: 0123456789ab
              name: aragora-migration-production-20261122t190455z-3f9c
            spec:
              activeDeadlineSeconds: 7200
              backoffLimit: 0
              template:
                metadata:
                  annotations:
                    aragora.build/run: 20261122T190455Z-3f9c
                    aragora.build/direction: upgrade
                    aragora.build/revision: d13f60a8b75e
                    aragora.build/tree: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
                    aragora.build/application-name: aragora-migrate-20261122T190455Z-3f9c
                  labels:
                    app.kubernetes.io/name: aragora-migration
                    app.kubernetes.io/part-of: aragora
                    app.kubernetes.io/managed-by: aragora-build
                    aragora.build/purpose: migration
                    aragora.build/environment: production
                    aragora.build/run: 20261122T190455Z-3f9c
                    aragora.build/database: e24db9214bf3fbfe
                    aragora.build/direction: upgrade
                    aragora.build/revision: d13f60a8b75e
                    aragora.build/tree: 0123456789ab
                spec:
                  containers:
                  - command:
                    - alembic
                    - upgrade
                    - d13f60a8b75e
                    env:
                    - name: PYTHONDONTWRITEBYTECODE
                      value: "1"
                    - name: PYTHONUNBUFFERED
                      value: "1"
                    - name: PYTHONUTF8
                      value: "1"
                    - name: ARAGORA_APPLICATION_NAME
                      value: aragora-migrate-20261122T190455Z-3f9c
                    - name: ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT
                      value: "600000"
                    - name: ARAGORA_LOCK_TIMEOUT
                      value: "5000"
                    - name: ARAGORA_STATEMENT_TIMEOUT
                      value: "0"
                    - name: PGAPPNAME
                      value: aragora-migrate-20261122T190455Z-3f9c
                    - name: PGOPTIONS
                      value: -c lock_timeout=5000 -c statement_timeout=0 -c idle_in_transaction_session_timeout=600000
                    envFrom:
                    - secretRef:
                        name: aragora-database
                    image: registry/api@sha256:abc
                    name: migrate
                    resources:
                      limits:
                        cpu: 500m
                        memory: 512Mi
                      requests:
                        cpu: 500m
                        memory: 512Mi
                  restartPolicy: Never
                  serviceAccountName: migrator
                  terminationGracePeriodSeconds: 10
              ttlSecondsAfterFinished: 172800
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_url_and_the_password_are_not_in_the_job()
    {
        var job = new JobComposer(JobTemplate.Read(Options.JobFile), Options).Migration(Order, Database, pinnedImage: null);

        KubernetesYaml.Serialize(job).ShouldNotContain("postgresql://");
        job.Spec.Template.Spec.Containers[0].Env.Select(one => one.Name).ShouldBe(
        [
            "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONUTF8",
            "ARAGORA_APPLICATION_NAME", "ARAGORA_IDLE_IN_TRANSACTION_TIMEOUT", "ARAGORA_LOCK_TIMEOUT", "ARAGORA_STATEMENT_TIMEOUT", "PGAPPNAME", "PGOPTIONS",
        ]);
        job.Spec.Template.Spec.Containers[0].EnvFrom.ShouldHaveSingleItem().SecretRef.Name.ShouldBe("aragora-secrets");
    }

    [Fact]
    public void A_plain_apply_of_the_job_file_still_works_as_the_runbook_has_it()
    {
        var template = JobTemplate.Read(ClusterScenario.JobFile);

        (template.Namespace, template.Container, template.Image, template.Configuration).ShouldBe(("aragora", "migrate", "aragora/api:latest", "alembic.ini"));
    }

    [Theory]
    [InlineData("[\"alembic\", \"upgrade\", \"head\"]", null, "alembic downgrade base", null, "alembic.ini")]
    [InlineData("[\"python3\", \"-m\", \"alembic\", \"-c\", \"/app/alembic.ini\", \"upgrade\", \"head\"]", null, "python3 -m alembic -c /app/alembic.ini downgrade base", null, "/app/alembic.ini")]
    [InlineData("[\"alembic\", \"--config=db/alembic.ini\"]", "[\"upgrade\", \"head\"]", "alembic --config=db/alembic.ini", "downgrade base", "db/alembic.ini")]
    [InlineData("[\"alembic\", \"upgrade\"]", "[\"head\"]", "alembic downgrade base", null, "alembic.ini")]
    [InlineData(null, "[\"alembic\", \"upgrade\", \"head\"]", null, "alembic downgrade base", "alembic.ini")]
    public void What_stands_before_upgrade_in_the_command_stays(string? command, string? arguments, string? expectedCommand, string? expectedArguments, string configuration)
    {
        using var folder = new Servers.TemporaryFolder();
        var template = JobTemplate.Read(Write(folder, (command is null ? "" : $"command: {command}") + (arguments is null ? "" : $"\n          args: {arguments}")));

        var container = new JobComposer(template, Options).Migration(Order with { Direction = MigrationDirection.Downgrade, Revision = "base" }, Database, null).Spec.Template.Spec.Containers[0];

        (Joined(container.Command), Joined(container.Args), template.Configuration).ShouldBe((expectedCommand, expectedArguments, configuration));
    }

    [Theory]
    [InlineData("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: a}", "it holds a Deployment")]
    [InlineData("kind: Unheard\napiVersion: v1", "not a Kubernetes object of a known kind")]
    [InlineData("a: [", "is not a job file")]
    [InlineData("", "it holds 0 objects")]
    [InlineData("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {backoflimit: 3}", "backoflimit")]
    [InlineData("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, image: i, command: [alembic, upgrade, head]}, {name: b, image: i}]}}}", "2 containers, and none of them is called migrate")]
    [InlineData("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, image: i, command: [sh, -c, alembic upgrade head]}]}}}", "has no word \"upgrade\"")]
    public void A_file_that_is_not_one_job_that_upgrades_is_refused(string text, string why)
    {
        using var folder = new Servers.TemporaryFolder();
        var file = Path.Combine(folder.Path, "job.yaml");
        File.WriteAllText(file, text);

        var bad = Should.Throw<BadInputException>(() => JobTemplate.Read(file));

        bad.Message.ShouldContain(why);
        bad.Next.ShouldContain("--migration-job");
    }

    [Fact]
    public void Names_are_unique_for_each_run_and_fit_whatever_the_file_is_called()
    {
        JobMarks.Name("aragora-migration", "Staging", RunId, "check").ShouldBe("aragora-migration-staging-20261122t190455z-3f9c-check");
        var longest = JobMarks.Name(new string('x', 80), "Production", RunId, "check");
        longest.Length.ShouldBe(63);
        longest.ShouldEndWith("-production-20261122t190455z-3f9c-check");
        JobMarks.Label("no label/at all!").ShouldBe("no-label-at-all");
    }

    [Theory]
    [InlineData("2 cores", null)]
    [InlineData("0", null)]
    [InlineData(null, "1GiB")]
    [InlineData(null, "-1Gi")]
    public void A_quantity_that_is_none_is_refused_by_name(string? cpu, string? memory) =>
        Should.Throw<BadInputException>(() => (Options with { Cpu = cpu, Memory = memory }).Validated()).What.ShouldStartWith(cpu is null ? "--migration-memory" : "--migration-cpu");

    [Theory]
    [InlineData("500m", "1.5Gi")]
    [InlineData("2", "512M")]
    [InlineData(".5", "1e9", false)]
    public void Quantities_that_Kubernetes_knows_are_taken(string cpu, string memory, bool taken = true)
    {
        var options = Options with { Cpu = cpu, Memory = memory };
        if (taken)
        {
            options.Validated().ShouldBe(options);
        }
        else
        {
            Should.Throw<BadInputException>(() => options.Validated());
        }
    }

    private static string? Joined(IList<string>? words) => words is null ? null : string.Join(' ', words);

    private static string Write(Servers.TemporaryFolder folder, string command)
    {
        var file = Path.Combine(folder.Path, "job.yaml");
        File.WriteAllText(file, $"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n        - name: migrate\n          image: i\n          {command}\n");
        return file;
    }
}
