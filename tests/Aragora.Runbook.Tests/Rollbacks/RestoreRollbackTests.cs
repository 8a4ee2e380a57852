using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class RestoreRollbackTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_plain_owner_gets_the_backup_back_and_the_old_database_is_kept_closed()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await shop.MoveOnAsync();

        var result = await shop.RestoreAsync("5");

        (await shop.GenerationAsync()).ShouldBe(1);
        result.After.Revisions.ShouldBe(["r1000"]);
        result.Facts.LostWrites.ShouldBe(4);
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true), (result.Facts.KeptDatabase, false)]);
        TestContext.Current.SendDiagnosticMessage("unavailable for {0} ms", result.Facts.Unavailable.TotalMilliseconds);
        var evidence = shop.Run.Evidence.ReadAll().Accepted.Single(record => record.Kind == EvidenceKinds.Rollback);
        evidence.FactsAs<RestoreFacts>().KeptDatabase.ShouldBe(result.Facts.KeptDatabase);
        Aragora.Runbook.Reporting.EvidenceFact.Of(evidence).ShouldContain("restored");
    }
}
