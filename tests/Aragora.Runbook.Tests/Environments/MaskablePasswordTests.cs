using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class MaskablePasswordTests
{
    [Theory]
    [InlineData("postgresql://u:a@h/d")]
    [InlineData("postgresql://u:%C3%A4b@h/d")]
    public void A_password_that_no_log_could_mask_is_refused_without_repeating_it(string url)
    {
        var refusal = Should.Throw<BadInputException>(() => MaskablePassword.Require(PostgresUrl.Parse(url, "PRODUCTION_DATABASE_URL"), "PRODUCTION_DATABASE_URL"));

        refusal.Message.ShouldContain("PRODUCTION_DATABASE_URL");
        refusal.Message.ShouldNotContain("äb");
    }

    [Theory]
    [InlineData("postgresql://u:abc@h/d")]
    [InlineData("postgresql://u@h/d")]
    [InlineData("postgresql://u:@h/d")]
    public void Others_and_none_are_fine(string url)
    {
        var read = PostgresUrl.Parse(url, "X");

        MaskablePassword.Require(read, "X");

        var mask = new SecretMask();
        mask.Add(read.Password);
        mask.Apply($"said <{read.Password}>").ShouldBe(string.IsNullOrEmpty(read.Password) ? "said <>" : "said <***>");
    }
}
