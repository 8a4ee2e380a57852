using Aragora.Runbook.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Backups;

public sealed class DumpProgressTests
{
    private static readonly Dictionary<string, SourceTable> Tables = new(StringComparer.Ordinal)
    {
        ["public.messages"] = new(1000, 89),
        ["public.users"] = new(10, 9),
        ["other.users"] = new(-1, 0),
    };

    private DumpProgress progress = new(Tables, 2);

    [Fact]
    public void Parallel_workers_finish_tables_in_any_order()
    {
        Feed("pg_dump: dumping contents of table \"public.messages\"", "pg_dump: dumping contents of table \"public.users\"", "pg_dump: finished item 3359 TABLE DATA users", "pg_dump: finished item 3360 BLOBS BLOBS");

        progress.Snapshot("dumping", 0, TimeSpan.FromSeconds(10)).Done.ShouldBe(1);
        progress.Snapshot("dumping", 0, TimeSpan.FromSeconds(10)).Total.ShouldBe(3);
    }

    [Fact]
    public void With_one_job_a_table_is_done_when_the_next_begins()
    {
        progress = new DumpProgress(Tables, 1);
        Feed("pg_dump: dumping contents of table \"public.messages\"");
        progress.Snapshot("dumping", 0, TimeSpan.Zero).Done.ShouldBe(0);

        Feed("pg_dump: dumping contents of table \"public.users\"");
        progress.Snapshot("dumping", 0, TimeSpan.Zero).Done.ShouldBe(1);
    }

    [Fact]
    public void What_is_left_is_estimated_from_pages_and_from_rows_copied()
    {
        progress.Snapshot("dumping", 0, TimeSpan.FromSeconds(10)).Remaining.ShouldBeNull();
        Feed("pg_dump: dumping contents of table \"public.messages\"");
        progress.OnCopied(new Dictionary<string, long>(StringComparer.Ordinal) { ["public.messages"] = 500 });

        // 45 of 101 pages in 9 s leave 56 pages.
        progress.Snapshot("dumping", 0, TimeSpan.FromSeconds(9)).Remaining!.Value.TotalSeconds.ShouldBe(11.2, 0.01);
    }

    private void Feed(params string[] lines)
    {
        foreach (var line in lines)
        {
            progress.OnLine(line);
        }
    }
}
