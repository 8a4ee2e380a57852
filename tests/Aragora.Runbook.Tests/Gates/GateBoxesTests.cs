using Aragora.Runbook.Gates;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Gates;

public sealed class GateBoxesTests
{
    private readonly GateBench bench = new();

    [Fact]
    public async Task A_pending_revision_without_a_downgrade_is_named_with_what_to_do()
    {
        await bench.TickAllAsync();
        var subject = GateBench.Subject with { Pending = [GateBench.Pending, GateBench.Pending with { Id = "r11", Message = "one way", File = "versions/r11.py", HasDowngrade = false }] };

        var box = bench.Look(GateBox.RollbackPrepared, subject: subject);

        box.Ticked.ShouldBeFalse();
        box.Finding.ShouldContain("r11 (one way) has no downgrade");
        box.Finding.ShouldNotContain("r10");
        box.Next.ShouldBe("write the downgrade of r11, then ./build.sh MigrateStaging");
    }

    [Fact]
    public async Task A_downgrade_that_destroys_data_is_said_and_closes_nothing()
    {
        await bench.TickAllAsync();
        var subject = GateBench.Subject with { Pending = [GateBench.Pending with { DowngradeDestroys = "drop_column users.theme" }] };

        var box = bench.Look(GateBox.RollbackPrepared, subject: subject);

        box.Ticked.ShouldBeTrue();
        box.Finding.ShouldBe("1 pending revision with a downgrade, a restore takes 40 s; the downgrade of r10 destroys drop_column users.theme");
    }

    [Fact]
    public async Task A_restore_that_would_be_refused_is_said_and_closes_nothing()
    {
        await bench.TickAllAsync();

        var box = bench.Look(GateBox.RollbackPrepared, subject: GateBench.Subject with { RestoreLacks = ["role gone was dropped (CREATE ROLE gone NOLOGIN;)"] });

        box.Ticked.ShouldBeTrue();
        box.Finding.ShouldEndWith("as it stands, a restore would be refused: role gone was dropped (CREATE ROLE gone NOLOGIN;)");
    }

    [Fact]
    public async Task Without_a_verified_backup_nobody_knows_how_long_a_restore_takes()
    {
        await bench.TickStagingAsync();

        var box = bench.Look(GateBox.RollbackPrepared);

        box.Ticked.ShouldBeFalse();
        box.Finding.ShouldContain("how long a restore takes is not known");
        box.Next.ShouldBe("./build.sh VerifyBackup");
    }

    [Fact]
    public async Task A_backup_that_was_only_read_by_an_older_build_is_not_verified()
    {
        await bench.TickStagingAsync();
        await bench.Store().WriteAsync(bench.Verification(await bench.WriteBackupAsync(), restored: false), CancellationToken.None);

        bench.Look(GateBox.VerifiedBackup).Ticked.ShouldBeFalse();
        bench.Look(GateBox.VerifiedBackup).Finding.ShouldContain("only read, not restored");
        bench.Look(GateBox.RollbackPrepared).Ticked.ShouldBeFalse();
    }

    [Fact]
    public void Without_a_window_the_box_is_ticked_and_says_so()
    {
        var box = bench.Look(GateBox.MaintenanceWindow);

        box.Ticked.ShouldBeTrue();
        box.Finding.ShouldBe("no window is set");
    }

    [Theory]
    [InlineData("2026-03-29T01:30:00Z", true, "Sun 02:00-04:00 Europe/Berlin is open until Sun 2026-03-29 04:00 +02:00 (2026-03-29 02:00 UTC), for another 30 min")]
    [InlineData("2026-03-28T01:00:00Z", false, "Sun 02:00-04:00 Europe/Berlin is closed; it opens Sun 2026-03-29 03:00 +02:00 (2026-03-29 01:00 UTC), in 24 h")]
    public void A_window_says_until_when_it_is_open_or_when_it_opens(string now, bool ticked, string finding)
    {
        var box = At(now).Look(GateBox.MaintenanceWindow, new GateOptions { Window = MaintenanceWindow.Parse("Sun 02:00-04:00 Europe/Berlin") });

        box.Ticked.ShouldBe(ticked);
        box.Finding.ShouldBe(finding);
    }

    [Fact]
    public void A_window_that_the_clock_skips_is_said_to_not_exist_that_day() =>
        At("2026-03-28T12:00:00Z").Look(GateBox.MaintenanceWindow, new GateOptions { Window = MaintenanceWindow.Parse("Sun 02:00-03:00 Europe/Berlin") }).Finding.ShouldBe(
            "Sun 02:00-03:00 Europe/Berlin is closed; it opens Sun 2026-04-05 02:00 +02:00 (2026-04-05 00:00 UTC), in 7.5 days; on Sun 2026-03-29 it does not exist: the clocks of Europe/Berlin skip all of it (daylight saving)");

    [Theory]
    [InlineData(GateBox.TeamNotified)]
    [InlineData(GateBox.DashboardsOpen)]
    public void What_nobody_attests_is_not_ticked_but_on_the_local_stack_nobody_is_asked(GateBox name)
    {
        var box = bench.Look(name, new GateOptions());

        box.Ticked.ShouldBeFalse();
        box.Next.ShouldContain("--attest TeamNotified,DashboardsOpen");
        bench.Look(name).Finding.ShouldBe("attested by tests@here");
        var local = bench.Look(name, new GateOptions(), GateBench.Subject with { IsLocalStack = true });
        local.Ticked.ShouldBeTrue();
        local.Finding.ShouldBe("not asked on the local stack");
    }

    [Fact]
    public async Task One_attestation_is_not_the_other()
    {
        await bench.TickAllAsync();
        var options = new GateOptions { Attested = new HashSet<AttestableBox> { AttestableBox.TeamNotified } };

        Should.Throw<RefusedException>(() => bench.Gate(options: options).Pass(GateBench.Subject)).What.ShouldBe("The gate to production is closed: DashboardsOpen is not ticked.");
    }

    [Fact]
    public void What_no_step_of_the_runbook_ticks_is_foreseen()
    {
        var gate = bench.Gate(options: new GateOptions { Overridden = new HashSet<GateBox> { GateBox.TeamNotified }, Because = "x" });

        gate.Foresee(isLocalStack: false).Select(box => box.Box).ShouldBe([GateBox.DashboardsOpen]);
        gate.Foresee(isLocalStack: true).ShouldBeEmpty();
    }

    private static GateBench At(string now) => new(RealServer.NewRun(clock: new FixedClock(DateTimeOffset.Parse(now))));

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
