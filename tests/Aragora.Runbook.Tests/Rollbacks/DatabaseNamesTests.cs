using System.Text;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class DatabaseNamesTests
{
    private const string Run = "20261122T190455Z-3f9c";
    private static readonly DateTimeOffset At = new(2026, 11, 22, 21, 4, 55, TimeSpan.FromHours(2));

    [Fact]
    public void They_tell_what_they_are()
    {
        DatabaseNames.Copy("shop", Run).ShouldBe("shop_restore_20261122T190455Z-3f9c");
        DatabaseNames.Kept("shop", At, new HashSet<string>()).ShouldBe("shop_before_20261122_190455");
    }

    [Theory]
    [InlineData('x')]
    [InlineData('ü')]
    public void A_long_name_is_shortened_between_two_characters_and_fits(char letter)
    {
        var longest = new string(letter, 63 / Encoding.UTF8.GetByteCount([letter]));

        var copy = DatabaseNames.Copy(longest, Run);
        var kept = DatabaseNames.Kept(longest, At, new HashSet<string>());

        Encoding.UTF8.GetByteCount(copy).ShouldBeInRange(60, 63);
        Encoding.UTF8.GetByteCount(kept).ShouldBeInRange(60, 63);
        copy.ShouldEndWith("_restore_" + Run);
        kept.ShouldEndWith("_before_20261122_190455");
        DatabaseNames.IsCopyOf(longest, copy).ShouldBeTrue();
    }

    [Fact]
    public void A_name_that_is_taken_is_never_given_again() =>
        DatabaseNames.Kept("shop", At, new HashSet<string>(["shop_before_20261122_190455", "shop_before_20261122_190455_2"], StringComparer.Ordinal)).ShouldBe("shop_before_20261122_190455_3");

    [Theory]
    [InlineData("shop_restore_yesterday")]
    [InlineData("shop2_restore_20261122T190455Z-3f9c")]
    [InlineData("shop_restore_20261122T190455Z-3f9c_old")]
    public void A_name_that_only_resembles_a_copy_is_none(string name) => DatabaseNames.IsCopyOf("shop", name).ShouldBeFalse();
}
