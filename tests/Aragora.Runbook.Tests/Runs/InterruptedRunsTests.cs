using Aragora.Runbook.Journal;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Runs;

public sealed class InterruptedRunsTests : IDisposable
{
    private readonly TemporaryFolder runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void A_run_that_is_at_work_is_not_interrupted_and_one_that_died_is()
    {
        Write("dead", Intent(1, "migrate production", hour: 1));
        Write("alive", Intent(1, "back up production", hour: 2));
        using (InterruptedRuns.Announce(runs.Path, "alive"))
        {
            Find().ShouldBe(["dead: migrate production"]);
        }

        Find().ShouldBe(["alive: back up production", "dead: migrate production"]);
    }

    [Fact]
    public void The_lock_of_a_killed_run_does_not_make_it_alive()
    {
        Write("killed", Intent(1, "migrate production", hour: 1));
        Directory.CreateDirectory(runs[".at-work"]);
        File.WriteAllText(runs[".at-work/killed.lock"], "");

        Find().ShouldBe(["killed: migrate production"]);

        Directory.EnumerateFiles(runs[".at-work"]).ShouldBeEmpty();
    }

    [Fact]
    public void An_act_that_was_done_to_its_end_later_is_not_told_any_more()
    {
        Write("killed", Intent(1, "migrate production", hour: 1) + Intent(2, "back up production", hour: 4));
        Write("later", Intent(1, "migrate production", hour: 2) + Outcome(1, "migrate production", "done", hour: 3) + Intent(2, "back up production", hour: 3) + Outcome(2, "back up production", "done", hour: 3));

        Find().ShouldBe(["killed: back up production"]);
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("refused")]
    [InlineData("cancelled")]
    public void A_later_try_that_came_to_nothing_does_not_count(string result)
    {
        Write("killed", Intent(1, "migrate production", hour: 1));
        Write("later", Intent(1, "migrate production", hour: 2) + Outcome(1, "migrate production", result, hour: 3));

        Find().ShouldBe(["killed: migrate production"]);
    }

    [Fact]
    public void The_run_that_asks_and_folders_without_a_journal_do_not_count()
    {
        Write("asking", Intent(1, "migrate production", hour: 1));
        Directory.CreateDirectory(runs["empty"]);

        Find().ShouldBeEmpty();
        InterruptedRuns.Find(runs["nowhere"], "asking").ShouldBeEmpty();
    }

    private IEnumerable<string> Find() => InterruptedRuns.Find(runs.Path, "asking").Select(act => $"{act.RunId}: {act.Act}");

    private void Write(string runId, string journal)
    {
        Directory.CreateDirectory(runs[runId]);
        File.WriteAllText(Path.Combine(runs[runId], "journal.ndjson"), journal);
    }

    private static string Intent(int id, string act, int hour) => $$"""{"id":{{id}},"kind":"intent","act":"{{act}}","at":"2026-11-22T{{hour:00}}:00:00+00:00"}""" + "\n";

    private static string Outcome(int id, string act, string result, int hour) => $$"""{"id":{{id}},"kind":"outcome","act":"{{act}}","result":"{{result}}","took":"00:00:01","at":"2026-11-22T{{hour:00}}:00:00+00:00"}""" + "\n";
}
