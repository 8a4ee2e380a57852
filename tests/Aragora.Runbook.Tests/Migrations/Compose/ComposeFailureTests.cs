using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Migrations.Compose;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

/// <summary>The words of both generations; those of docker-compose 1.29 are provoked for real beside this.</summary>
public sealed class ComposeFailureTests
{
    [Theory]
    [InlineData("error while interpolating services.api.environment.PW: required variable POSTGRES_PASSWORD is missing a value: set it", "The variable POSTGRES_PASSWORD, which f wants, is not set.", "set it")]
    [InlineData("Missing mandatory value for \"environment\" option interpolating {'URL': 'postgresql://u:hunter12@h/d', 'PW': '${POSTGRES_PASSWORD:?set it}'} in service \"api\": set it", "The variable POSTGRES_PASSWORD, which f wants, is not set.", "set it")]
    [InlineData("invalid interpolation format for services.api.environment.PW: \"hunter12$\". You may need to escape any $ with another $", "f has a \"$\" that Compose takes for a variable.", "services.api.environment.PW")]
    [InlineData("validating /srv/compose.yaml: services.api additional properties 'comand' not allowed", "Compose cannot read f.", "validating /srv/compose.yaml: services.api additional properties 'comand' not allowed")]
    [InlineData("cannot parse postgresql://u:hunter12@h/d", "Compose cannot read f.", "cannot parse postgresql://***@h/d")]
    public void What_is_wrong_with_the_files_is_told_without_what_they_hold(string error, string what, string why)
    {
        var told = ComposeFailure.OfFiles(error, "f");

        (told.What, told.Why).ShouldBe((what, why));
        told.Message.ShouldNotContain("hunter12");
    }

    [Theory]
    [InlineData(" Container shop-postgres-1  Starting\ndependency failed to start: container shop-postgres-1 is unhealthy", "shop-postgres-1")]
    [InlineData("dependency failed to start: container shop-postgres-1 exited (1)", "shop-postgres-1")]
    [InlineData("for aragora-api  Container \"56a4b0579bfe\" is unhealthy.\nEncountered errors while bringing up the project.", "56a4b0579bfe")]
    [InlineData("pull access denied for nosuch/image", null)]
    public void The_dependency_that_did_not_come_up_is_found_in_the_words(string error, string? container) => ComposeFailure.Dependency(error).ShouldBe(container);

    [Theory]
    [InlineData("Error response from daemon: pull access denied for aragora/api, repository does not exist or may require 'docker login'", "The image aragora/api:latest is not here, and cannot be pulled.")]
    [InlineData("Error response from daemon: manifest for aragora/api:latest not found: manifest unknown: manifest unknown", "The image aragora/api:latest is not here, and cannot be pulled.")]
    [InlineData("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host", "The image aragora/api:latest is not here, and cannot be pulled.")]
    [InlineData("failed to solve: process \"/bin/sh -c false\" did not complete successfully: exit code: 1", "The image of the service aragora-api could not be built.")]
    [InlineData("Bind for 127.0.0.1:5432 failed: port is already allocated", "What the service aragora-api depends on could not be started: a port is taken.")]
    [InlineData("something else", "Compose could not start the service aragora-api.")]
    public void What_kept_a_container_from_starting_is_told_apart(string error, string what)
    {
        var told = ComposeFailure.OfStart(error, ComposeProjectTests.Service(), dependency: null);

        told.What.ShouldBe(what);
        told.Next.ShouldContain("nothing was moved");
    }

    [Theory]
    [InlineData(143, false, "", "was stopped (exit code 143)")]
    [InlineData(137, true, "", "ran out of memory and was killed (exit code 137)")]
    [InlineData(137, false, "", "was killed (exit code 137)")]
    [InlineData(139, false, "", "died of signal 11 (exit code 139)")]
    [InlineData(125, false, "", "The engine could not run the container")]
    [InlineData(126, false, "", "may not be executed in the image")]
    [InlineData(127, false, "", "is not in the image")]
    [InlineData(128, false, "mounts denied", "could not be started in the image of the service aragora-api (exit code 128)")]
    [InlineData(1, false, "", null)]
    [InlineData(0, true, "", null)]
    public void Each_end_that_is_not_the_programs_own_has_its_message(int exitCode, bool outOfMemory, string error, string? said)
    {
        var told = ContainerEnds.Explain(new ContainerState("exited", IsRunning: false, exitCode, outOfMemory, error), "c", ComposeProjectTests.Service(), "last line");

        (told?.Message ?? "").ShouldContain(said ?? "");
        (told is null).ShouldBe(said is null);
    }
}
