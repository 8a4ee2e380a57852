using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Guards;

public sealed class PoolerProbeTests(RealServer server)
{
    private const string PgBouncer = "/usr/sbin/pgbouncer";

    [Theory]
    [InlineData("transaction", "*")]
    [InlineData("statement", "*")]
    [InlineData("transaction", "only this one")]
    public async Task A_pooler_that_hands_sessions_around_is_refused(string mode, string databases)
    {
        var environment = await server.NewDatabaseAsync();
        await using var pooler = await StartAsync(mode, databases == "*" ? "*" : environment.Database.Database);

        var refusal = await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(pooler.Through(environment), TimeSpan.Zero, CancellationToken.None));

        refusal.Message.ShouldContain("connection pooler in transaction mode");
        refusal.Next.ShouldContain("connect directly");
        refusal.Next.ShouldContain("PRODUCTION_DATABASE_URL");
    }

    [Fact]
    public async Task A_pooler_that_keeps_sessions_is_no_obstacle()
    {
        var environment = await server.NewDatabaseAsync();
        await using var pooler = await StartAsync("session", "*");

        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(pooler.Through(environment), TimeSpan.Zero, CancellationToken.None);

        await Should.ThrowAsync<RefusedException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(environment, TimeSpan.Zero, CancellationToken.None));
    }

    [Fact]
    public async Task A_pooler_that_does_not_know_the_maintenance_database_is_told_apart()
    {
        var environment = await server.NewDatabaseAsync();
        await using var pooler = await StartAsync("session", environment.Database.Database);

        var refusal = await Should.ThrowAsync<BadInputException>(() => new SingleFlight(RealServer.NewRun()).AcquireAsync(pooler.Through(environment), TimeSpan.Zero, CancellationToken.None));

        refusal.Message.ShouldContain("Neither the database \"postgres\" nor \"template1\"");
        refusal.Next.ShouldContain("not through a pooler");
    }

    private async Task<Pooler> StartAsync(string mode, string database)
    {
        Assert.SkipUnless(File.Exists(PgBouncer), "pgbouncer is not on this machine");
        var folder = TestFolders.New("bouncer");
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            var url = server.Server.Url;
            File.WriteAllText(Path.Combine(folder, "users.txt"), $"\"{url.User}\" \"{url.Password}\"\n");
            File.WriteAllText(Path.Combine(folder, "bouncer.ini"), string.Create(CultureInfo.InvariantCulture, $"""
                [databases]
                {database} = host=127.0.0.1 port={url.Port}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {port}
                unix_socket_dir =
                auth_type = scram-sha-256
                auth_file = {folder}/users.txt
                pool_mode = {mode}
                default_pool_size = 5
                ignore_startup_parameters = extra_float_digits

                """));
            var commands = server.Commands;
            var user = UnprivilegedUser.Current();
            if (!OperatingSystem.IsWindows())
            {
                await user.TakeOverAsync(folder, commands, CancellationToken.None);
            }

            var command = user.As(new Aragora.Runbook.Adapters.Processes.Command { Program = PgBouncer, Arguments = [Path.Combine(folder, "bouncer.ini")] });
            var process = Process.Start(new ProcessStartInfo(command.Program, command.Arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            await ListeningAsync(port, process);
            return new Pooler(process, port, folder);
        }
    }

    private static async Task ListeningAsync(int port, Process process)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return;
            }
            catch (SocketException)
            {
                process.HasExited.ShouldBeFalse("pgbouncer ended");
                await Task.Delay(20, deadline.Token);
            }
        }
    }

    private sealed class Pooler(Process process, int port, string folder) : IAsyncDisposable
    {
        public DatabaseEnvironment Through(DatabaseEnvironment environment) => environment with { Database = environment.Database with { Port = port } };

        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}
