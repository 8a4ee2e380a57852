using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Outcomes;

public sealed class RunVerdictTests
{
    private const TargetEnvironment Production = TargetEnvironment.Production;
    private readonly RunVerdict verdict = new();

    [Fact]
    public void A_green_run_ends_with_0() => verdict.ExitCode(0).ShouldBe(ExitCodes.Green);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_run_that_migrated_and_was_not_verified_never_ends_with_0(bool smoke, bool health)
    {
        verdict.Moved(Production);
        if (smoke)
        {
            verdict.Verified(Production, "SmokeTest");
        }

        if (health)
        {
            verdict.Verified(Production, "HealthCheck");
        }

        verdict.ExitCode(0).ShouldBe(ExitCodes.NeedsPerson);
        verdict.Unverified.ShouldNotBeNull();
    }

    [Fact]
    public void A_verification_from_before_the_move_does_not_count()
    {
        verdict.Verified(Production, "SmokeTest");
        verdict.Verified(Production, "HealthCheck");
        verdict.Moved(Production);

        verdict.ExitCode(0).ShouldBe(ExitCodes.NeedsPerson);
    }

    [Fact]
    public void A_run_that_migrated_and_was_verified_ends_with_0()
    {
        verdict.Moved(Production);
        verdict.Verified(Production, "SmokeTest");
        verdict.Verified(Production, "HealthCheck");

        verdict.ExitCode(0).ShouldBe(ExitCodes.Green);
    }

    [Fact]
    public void A_verification_of_another_environment_does_not_count()
    {
        verdict.Moved(Production);
        verdict.Verified(TargetEnvironment.Staging, "SmokeTest");
        verdict.Verified(TargetEnvironment.Staging, "HealthCheck");

        verdict.ExitCode(0).ShouldBe(ExitCodes.NeedsPerson);
    }

    [Fact]
    public void A_host_that_failed_without_a_word_is_a_defect() => verdict.ExitCode(-1).ShouldBe(ExitCodes.Unexpected);

    [Fact]
    public void Each_kind_of_failure_has_its_exit_code()
    {
        Code(new RefusedException("", "", "")).ShouldBe(3);
        Code(new BadInputException("", "", "")).ShouldBe(2);
        Code(new FailedCleanException("", "", "")).ShouldBe(4);
        Code(new NeedsPersonException("", "", "")).ShouldBe(5);
        Code(new OperationCanceledException()).ShouldBe(130);
        Code(new InvalidOperationException()).ShouldBe(1);
    }

    [Fact]
    public void A_failure_after_the_move_needs_a_person_whatever_it_is()
    {
        verdict.Moved(Production);
        verdict.Failed(new FailedCleanException("", "", ""));

        verdict.ExitCode(-1).ShouldBe(ExitCodes.NeedsPerson);
    }

    private static int Code(Exception failure)
    {
        var verdict = new RunVerdict();
        verdict.Failed(failure);
        return verdict.ExitCode(-1);
    }
}
