using System.Text;
using Aragora.Runbook.Adapters.Docker;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Docker;

public sealed class LogAlignmentTests
{
    private readonly List<string> told = [];
    private readonly LogAlignment log;

    public LogAlignmentTests() => log = new LogAlignment(told.Add);

    [Fact]
    public void A_log_that_was_not_rotated_goes_on_behind_what_was_told()
    {
        Read("a b c");

        Read("a b c d e");

        told.ShouldBe(["a", "b", "c", "d", "e"]);
    }

    [Fact]
    public void A_log_that_begins_in_the_middle_of_what_was_told_goes_on_behind_it()
    {
        Read("a b c d e");

        Read("d e f");

        told.ShouldBe(["a", "b", "c", "d", "e", "f"]);
    }

    [Fact]
    public void A_log_that_begins_right_behind_what_was_told_cannot_be_told_from_one_that_lacks_lines()
    {
        Read("a b c");

        Read("d e");

        told.ShouldBe(["a", "b", "c", LogAlignment.Gap, "d", "e"]);
    }

    [Fact]
    public void Where_nothing_overlaps_the_gap_is_told_once_and_everything_that_is_there()
    {
        Read("a b c");
        Read("x y");

        Read("x y z");

        told.ShouldBe(["a", "b", "c", LogAlignment.Gap, "x", "y", "z"]);
    }

    [Fact]
    public void A_first_reading_has_no_gap_and_holds_nothing_back()
    {
        Read("a a");

        told.ShouldBe(["a", "a"]);
        log.IsAligned.ShouldBeTrue();
    }

    [Fact]
    public void Repeated_lines_are_told_as_often_as_they_are_there_and_the_longest_overlap_counts()
    {
        Read(". . .");
        Read(". . . .");
        told.Count.ShouldBe(4);

        Read(". . x .");

        told.ShouldBe([".", ".", ".", ".", "x", "."]);
        Read("x . x . y");
        told.ShouldBe([".", ".", ".", ".", "x", ".", "x", ".", "y"]);
    }

    [Fact]
    public void A_longer_overlap_that_fails_late_gives_way_to_a_shorter_one()
    {
        Read("a b a b c a b");

        // As if it began at the first line, or at the third, until the seventh says otherwise.
        Begin("a b");
        told.Count.ShouldBe(7);
        log.IsAligned.ShouldBeFalse();
        Take("d");

        told.ShouldBe(["a", "b", "a", "b", "c", "a", "b", "d"]);
    }

    [Fact]
    public void Lines_are_held_back_only_while_it_is_open_whether_they_were_told()
    {
        Read("a b c");
        Begin("a b");
        told.Count.ShouldBe(3);
        log.IsAligned.ShouldBeFalse();

        Take("c");
        log.IsAligned.ShouldBeTrue();
        Take("d");
        told[^1].ShouldBe("d");
    }

    [Fact]
    public void A_reading_that_breaks_off_before_it_has_caught_up_repeats_and_loses_nothing()
    {
        Read("a b c d");
        Begin("a b");
        Begin("b c");

        Read("c d e");

        told.ShouldBe(["a", "b", "c", "d", "e"]);
    }

    [Fact]
    public void At_the_end_of_the_log_what_only_looked_like_an_overlap_is_told()
    {
        Read("a b c");
        Begin("a b");
        told.Count.ShouldBe(3);

        log.Settle();

        told.ShouldBe(["a", "b", "c", LogAlignment.Gap, "a", "b"]);
        log.Settle();
        told.Count.ShouldBe(6);
    }

    [Fact]
    public void At_the_end_of_the_log_a_shorter_overlap_that_is_whole_counts()
    {
        Read("a b c a");
        Begin("a");
        log.IsAligned.ShouldBeFalse();

        log.Settle();

        told.ShouldBe(["a", "b", "c", "a"]);
    }

    [Fact]
    public void A_log_that_is_empty_after_lines_were_told_has_a_gap_at_its_end()
    {
        Read("a");
        log.Restart();

        log.Settle();

        told.ShouldBe(["a", LogAlignment.Gap]);
    }

    [Fact]
    public void The_lines_of_both_streams_are_one_sequence_and_are_not_taken_for_each_other()
    {
        Read("a !b .");
        Read("!b . !c");
        told.ShouldBe(["a", "b", ".", "c"]);

        Read("b . !c");

        // The same words, and another stream: nothing of it was told.
        told.ShouldBe(["a", "b", ".", "c", LogAlignment.Gap, "b", ".", "c"]);
    }

    [Fact]
    public void A_stream_that_says_the_same_again_is_aligned_by_what_the_other_one_says()
    {
        Read("!tick out1 out2");

        // The first tick was thrown away, and there is another one.
        Read("out2 !tick");

        told.ShouldBe(["tick", "out1", "out2", "tick"]);
    }

    [Fact]
    public void A_long_line_whose_first_piece_was_thrown_away_is_not_told_again()
    {
        var line = string.Concat(Enumerable.Range(0, 9000).Select(i => $"{i:00000}"));
        Take($"a {line} b");

        Read($"{line[16384..]} b c");
        Read($"{line[32768..]} b c d");

        told.ShouldBe(["a", line, "b", "c", "d"]);
    }

    [Fact]
    public void The_rest_of_a_line_that_was_never_told_is_told_behind_the_gap()
    {
        var line = new string('x', 20_000);
        Read("a b");

        Read($"{line[16384..]} c");

        told.ShouldBe(["a", "b", LogAlignment.Gap, line[16384..], "c"]);
    }

    [Fact]
    public void A_line_like_the_rest_of_a_long_one_is_a_line_of_its_own()
    {
        var line = new string('x', 16_384) + "rest";
        Read($"rest {line} b");

        Read($"rest {line} b !rest");
        Read($"{line} b !rest c");

        told.ShouldBe(["rest", line, "b", "rest", "c"]);
    }

    [Fact]
    public void A_carriage_return_at_the_end_of_a_line_is_not_told()
    {
        log.Take(isError: false, "a\r"u8);

        told.ShouldBe(["a"]);
    }

    [Fact]
    public void A_hundred_thousand_lines_alike_are_aligned_at_once()
    {
        var many = string.Join(' ', Enumerable.Repeat(".", 100_000));
        Read(many);

        Read($"{many[..100_001]} x");

        told.Count.ShouldBe(100_001);
    }

    [Fact]
    public void It_tells_what_the_definition_says_for_whatever_logs_and_rotations()
    {
        var random = new Random(20261125);
        for (var round = 0; round < 2000; round++)
        {
            told.Clear();
            var alignment = new LogAlignment(told.Add);
            var (remembered, expected, written) = (new List<string>(), new List<string>(), new List<string>());
            for (var reading = 0; reading < 6; reading++)
            {
                // The engine writes some lines, of few words, and throws away some of the oldest.
                written.AddRange(Enumerable.Range(0, random.Next(6)).Select(_ => ((char)('a' + random.Next(2))).ToString()));
                written.RemoveRange(0, random.Next(4) == 0 ? random.Next(written.Count + 1) : 0);
                var overlap = Enumerable.Range(0, remembered.Count + 1).Select(k => remembered[k..]).First(end => end.Count <= written.Count && written[..end.Count].SequenceEqual(end));
                if (overlap.Count == 0 && remembered.Count > 0)
                {
                    expected.Add(LogAlignment.Gap);
                }

                expected.AddRange(written[overlap.Count..]);
                remembered = [.. overlap, .. written[overlap.Count..]];

                alignment.Restart();
                written.ForEach(line => alignment.Take(isError: false, Encoding.UTF8.GetBytes(line)));
                alignment.Settle();
                told.ShouldBe(expected, $"round {round}, reading {reading}");
            }
        }
    }

    /// <summary>A reading that goes to the end of the log.</summary>
    private void Read(string lines)
    {
        Begin(lines);
        log.Settle();
    }

    private void Begin(string lines)
    {
        log.Restart();
        Take(lines);
    }

    /// <summary>Lines, separated by spaces; those that begin with ! are of the other stream.</summary>
    private void Take(string lines)
    {
        foreach (var line in lines.Split(' '))
        {
            log.Take(isError: line.StartsWith('!'), Encoding.UTF8.GetBytes(line.TrimStart('!')));
        }
    }
}
