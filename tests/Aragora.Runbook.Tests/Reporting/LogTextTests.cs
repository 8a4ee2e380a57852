using Aragora.Runbook.Reporting;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Reporting;

public sealed class LogTextTests
{
    [Theory]
    [InlineData("::error::owned", @"\::error::owned")]
    [InlineData("harmless\n  ::set-output name=x::y", "harmless\n  \\::set-output name=x::y")]
    [InlineData("one\r::add-mask::y", "one\n\\::add-mask::y")]
    [InlineData("one\u2028::add-mask::y", "one\n\\::add-mask::y")]
    [InlineData("\u001b[31m::error::red", @"\::error::red")]
    [InlineData("\u200b::error::behind a zero width space", @"\::error::behind a zero width space")]
    [InlineData("NOTICE: ##vso[task.setvariable variable=a]b", @"NOTICE: #\#vso[task.setvariable variable=a]b")]
    [InlineData("NOTICE: ##VSO[task.complete]", @"NOTICE: #\#VSO[task.complete]")]
    [InlineData("##[error]x", @"#\#[error]x")]
    [InlineData("#\u0007#vso[x]", @"#\#vso[x]")]
    public void A_line_gives_no_order_to_the_CI_host(string text, string safe) => LogText.Safe(text).ShouldBe(safe);

    [Theory]
    [InlineData("a::b SELECT '1'::int")]
    [InlineData("\ttab, Ünïcödé, 数据库, 👩‍👧")]
    [InlineData("# heading [x] ## y")]
    public void Ordinary_text_stays_as_it_is(string text) => LogText.Safe(text).Replace("\u200d", "").ShouldBe(text.Replace("\u200d", ""));

    [Theory]
    [InlineData("\u001b[2J\u001b[1;1Hgone", "gone")]
    [InlineData("\u001b]0;title\u0007text", "text")]
    [InlineData("\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\", "link")]
    [InlineData("\u009b31mred", "red")]
    [InlineData("a\u0000b\u0008c\u007fd", "abcd")]
    [InlineData("user\u202etxt.exe", "usertxt.exe")]
    public void A_text_cannot_draw_on_the_terminal(string text, string safe) => LogText.Safe(text).ShouldBe(safe);

    [Fact]
    public void A_single_line_is_folded_and_cut_between_characters()
    {
        LogText.SingleLine("a\r\n  b\tc").ShouldBe("a b c");
        LogText.SingleLine(new string('x', 300), 10).ShouldBe("xxxxxxxxx…");
        LogText.SingleLine("abc😀def", 5).ShouldBe("abc…");
    }
}
