using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Servers;

public sealed class ThrowawayServerTests(RealServer real) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CommandRunner commands = new(TimeProvider.System);

    private ThrowawayServerOptions Options => new() { Folder = folder["server"] };

    private string DataFolder => Path.Combine(Options.Folder, "data");

    public void Dispose()
    {
        // Whatever a test left behind; a test that succeeded has erased its own.
        new PostmasterProcess(DataFolder).EndAsync(keepsData: false, TimeSpan.FromSeconds(20), CancellationToken.None).GetAwaiter().GetResult();
        folder.Dispose();
    }

    [Fact]
    public async Task A_server_answers_is_found_again_and_leaves_nothing_when_erased()
    {
        var server = await StartAsync();
        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
        (await StartAsync()).Url.ToSecretUrl().ShouldBe(server.Url.ToSecretUrl());

        await server.EraseAsync(CancellationToken.None);
        await server.EraseAsync(CancellationToken.None);

        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public void It_listens_on_loopback_alone_whatever_the_settings_say()
    {
        var wide = Options with { Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["listen_addresses"] = "*", ["port"] = "1", ["unix_socket_directories"] = "/tmp" } };
        var settings = wide.AllSettings("127.0.0.1", "5555");
        (settings["listen_addresses"], settings["port"], settings["unix_socket_directories"]).ShouldBe(("127.0.0.1", "5555", ""));

        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        Listening.At(real.Server.Url.Port).ShouldBe(["127.0.0.1"]);
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        (await ServerProbe.AnswersAsync(real.Server.Url with { Password = "wrong" }, CancellationToken.None)).ShouldBeFalse();
        (await ServerProbe.AnswersAsync(real.Server.Url, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_was_killed_starts_again_with_its_data()
    {
        var server = await StartAsync();
        await ExecuteAsync(server, "CREATE TABLE kept (n int)");
        Process.GetProcessById(new PostmasterProcess(DataFolder).Id()!.Value).Kill();
        await ShouldBecomeAsync(async () => !await server.IsRunningAsync(CancellationToken.None));

        var again = await StartAsync();

        await ExecuteAsync(again, "INSERT INTO kept VALUES (1)");
    }

    [Fact]
    public async Task A_stale_pid_file_whose_number_is_a_strangers_now_is_no_obstacle()
    {
        var server = await StartAsync();
        await server.StopAsync(CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(DataFolder, "postmaster.pid"), $"{Environment.ProcessId}\n{DataFolder}\n1700000000\n{server.Url.Port}\n\n127.0.0.1\n");

        (await server.IsRunningAsync(CancellationToken.None)).ShouldBeFalse();
        (await (await StartAsync()).IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_port_that_somebody_took_between_two_runs_is_exchanged()
    {
        var server = await StartAsync();
        await server.StopAsync(CancellationToken.None);
        using var thief = new TcpListener(IPAddress.Loopback, server.Url.Port);
        thief.Start();

        var again = await StartAsync();

        again.Url.Port.ShouldNotBe(server.Url.Port);
        (await again.IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_interrupted_first_start_is_made_anew()
    {
        Directory.CreateDirectory(Path.Combine(DataFolder, "base"));
        await File.WriteAllTextAsync(Path.Combine(Options.Folder, "initial-password"), "left");

        (await (await StartAsync()).IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
        File.Exists(Path.Combine(Options.Folder, "initial-password")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_nothing_that_the_next_one_minds()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(() => ThrowawayServer.StartAsync(real.Server.Binaries, Options, commands, new SecretMask(), soon.Token));

        (await (await StartAsync()).IsRunningAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Data_of_another_major_version_is_made_anew()
    {
        Directory.CreateDirectory(DataFolder);
        await File.WriteAllTextAsync(Path.Combine(DataFolder, "PG_VERSION"), "9\n");
        await new ServerState { Password = "old", Major = 9, Port = 1 }.WriteAsync(Options.Folder, CancellationToken.None);

        (await StartAsync()).Url.Password.ShouldNotBe("old");
        (await File.ReadAllTextAsync(Path.Combine(DataFolder, "PG_VERSION"))).Trim().ShouldBe($"{real.Server.Binaries.Major}");
    }

    [Fact]
    public async Task A_folder_that_holds_anything_else_is_never_erased()
    {
        Directory.CreateDirectory(Options.Folder);
        var precious = Path.Combine(Options.Folder, "thesis.txt");
        await File.WriteAllTextAsync(precious, "mine");

        var refusal = await Should.ThrowAsync<BadInputException>(StartAsync);

        refusal.Message.ShouldContain("thesis.txt");
        File.Exists(precious).ShouldBeTrue();
    }

    [Fact]
    public async Task A_folder_of_somebody_else_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a folder away");
        Directory.CreateDirectory(Options.Folder);
        await commands.RunAsync(new Command { Program = "chown", Arguments = ["daemon", Options.Folder] });

        (await Should.ThrowAsync<BadInputException>(StartAsync)).Message.ShouldContain("belongs to somebody else");
    }

    [Fact]
    public async Task A_folder_below_a_root_only_home_is_refused_by_name_and_left_clean()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("without root the server runs as ourselves");
            return;
        }

        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var refusal = await Should.ThrowAsync<BadInputException>(StartAsync);

        refusal.Message.ShouldContain(Options.Folder);
        refusal.Message.ShouldContain("cannot enter");
        Directory.Exists(Options.Folder).ShouldBeFalse();
    }

    [Fact]
    public async Task Two_that_start_it_at_once_get_the_same_server()
    {
        var both = await Task.WhenAll(StartAsync(), StartAsync());

        both[0].Url.Port.ShouldBe(both[1].Url.Port);
        both[0].Url.Password.ShouldBe(both[1].Url.Password);
    }

    [Fact]
    public async Task A_missing_locale_is_refused_by_name_unless_there_is_a_fallback()
    {
        var options = Options with { Locale = "xx_YY.UTF-8" };
        var refusal = await Should.ThrowAsync<BadInputException>(() => ThrowawayServer.StartAsync(real.Server.Binaries, options, commands, new SecretMask(), CancellationToken.None));
        refusal.Message.ShouldContain("xx_YY.UTF-8");
        Directory.Exists(options.Folder).ShouldBeFalse();

        var server = await ThrowawayServer.StartAsync(real.Server.Binaries, options with { FallbackLocale = "C" }, commands, new SecretMask(), CancellationToken.None);
        server.Locale.ShouldBe("C");
    }

    [Fact]
    public async Task A_server_that_does_not_start_says_what_its_log_says()
    {
        var failure = await Should.ThrowAsync<FailedCleanException>(() => ThrowawayServer.StartAsync(
            real.Server.Binaries, Options with { Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_preload_libraries"] = "no_such_library" } }, commands, new SecretMask(), CancellationToken.None));

        failure.Message.ShouldContain("no_such_library");
        failure.Message.ShouldContain("./build.sh LocalDown");
    }

    [Fact]
    public async Task Its_password_is_in_no_file_that_others_can_read()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes of Unix");
            return;
        }

        var server = real.Server;
        var own = Path.GetDirectoryName(server.LogFile)!;
        var file = Path.Combine(own, "server.json");
        JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement.GetProperty("password").GetString().ShouldBe(server.Url.Password);
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(own).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Exists(Path.Combine(own, "initial-password")).ShouldBeFalse();
    }

    private static async Task ExecuteAsync(ThrowawayServer server, string sql) =>
        await RealServer.SqlAsync(new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = server.Url }, sql);

    private static async Task ShouldBecomeAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private Task<ThrowawayServer> StartAsync() => ThrowawayServer.StartAsync(real.Server.Binaries, Options, commands, new SecretMask(), CancellationToken.None);
}

/// <summary>What the kernel says of listening sockets.</summary>
internal static class Listening
{
    /// <summary>The addresses on which something listens at this port.</summary>
    public static IReadOnlyList<string> At(int port) =>
        [.. new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists).SelectMany(file => File.ReadLines(file).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A")
            .Select(fields => fields[1].Split(':'))
            .Where(local => int.Parse(local[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port)
            .Select(local => new IPAddress([.. Convert.FromHexString(local[0]).Chunk(4).SelectMany(word => word.Reverse())]).ToString())];
}
