using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Npgsql;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>Clients that do not know about a restore, and connect again and again while it runs.</summary>
public sealed class RestoreClientsTests(RealServer server)
{
    [Fact]
    public async Task They_get_an_error_or_the_old_database_or_the_new_one_and_never_the_old_one_again()
    {
        var shop = await RestoreScenario.NewAsync(server, more: "CREATE TABLE pair (n int); INSERT INTO pair VALUES (1);");
        await shop.SqlAsync("UPDATE generation SET n = 2; UPDATE pair SET n = 2");
        using var stopping = new CancellationTokenSource();
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var clients = Enumerable.Range(0, 4).Select(number => Task.Run(() => ConnectForEverAsync(shop.Environment, pooled: number % 2 == 0, stopping.Token, giveUp.Token))).ToList();

        var result = await shop.RestoreAsync("1000");
        await using (var session = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests"))
        {
            (await session.ScalarAsync<int>("SELECT n FROM generation", CancellationToken.None)).ShouldBe(1);
        }

        await stopping.CancelAsync();
        var histories = await Task.WhenAll(clients);

        TestContext.Current.SendDiagnosticMessage("unavailable for {0} ms; {1} answers", result.Facts.Unavailable.TotalMilliseconds, histories.Sum(history => history.Count));
        foreach (var history in histories)
        {
            history.ShouldContain(2, "each client saw the old database first");
            history.ShouldContain(1, "and the new one afterwards");
            history.SkipWhile(answer => answer == 2).ShouldAllBe(answer => answer == 1);
        }
    }

    /// <summary>The generation that each successful transaction saw; both of its statements have to agree. Goes on until it is stopped and has seen the new one.</summary>
    private static async Task<IReadOnlyList<int>> ConnectForEverAsync(DatabaseEnvironment environment, bool pooled, CancellationToken stopping, CancellationToken giveUp)
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionStrings.Build(environment.Database, $"client {Guid.NewGuid():N}", null, null, TimeSpan.FromSeconds(10))) { Pooling = pooled, KeepAlive = 0 };
        await using var source = NpgsqlDataSource.Create(builder.ConnectionString);
        var history = new List<int>();
        while (!giveUp.IsCancellationRequested && (!stopping.IsCancellationRequested || !history.Contains(1)))
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
                var first = await AskAsync(connection, "generation");
                var second = await AskAsync(connection, "pair");
                second.ShouldBe(first, "one session is of one database");
                history.Add(first);
            }
            catch (NpgsqlException refused)
            {
                refused.Message.ShouldNotBeEmpty();
            }
        }

        return history;

        static async Task<int> AskAsync(NpgsqlConnection connection, string table)
        {
            await using var command = new NpgsqlCommand($"SELECT n FROM {table}", connection);
            return (int)(await command.ExecuteScalarAsync(CancellationToken.None))!;
        }
    }
}
