using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Environments;

public sealed class PasswordFileTests(RealServer server)
{
    [Theory]
    [InlineData("postgresql://u:p%3Aa%5Css@h:6543/d", @"h:6543:*:u:p\:a\\ss")]
    [InlineData("postgresql://r%3A:x@[::1]/d", @"\:\:1:5432:*:r\::x")]
    [InlineData("postgresql://u:x@/d?host=/run/pg", "/run/pg:5432:*:u:x|localhost:5432:*:u:x")]
    public void The_password_counts_for_one_server_and_role(string url, string expected)
    {
        using var folder = new TemporaryFolder();
        using var file = PasswordFile.For(PostgresUrl.Parse(url, "X"), folder.Path)!;

        File.ReadAllText(file.Path).ShouldBe(expected.Replace('|', '\n') + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(file.Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.GetUnixFileMode(Path.GetDirectoryName(file.Path)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task The_servers_own_client_finds_its_password_there()
    {
        using var folder = new TemporaryFolder();
        using var file = PasswordFile.For(server.Server.Url, folder.Path)!;
        var program = server.Server.Binaries["psql"];
        Assert.SkipUnless(File.Exists(program), "no psql on this machine");

        var variables = LibpqVariables.For(server.Server.Url, "aragora-tests");
        variables["PGPASSFILE"] = file.Path;
        var result = await server.Commands.RunAsync(new Command { Program = program, Arguments = ["-X", "-w", "-At", "-c", "select 'in'"], Environment = variables });

        result.Output.ShouldBe("in\n", result.Error);
    }

    [Fact]
    public void What_a_killed_process_left_is_erased_by_the_next_and_what_is_in_use_is_not()
    {
        using var folder = new TemporaryFolder();
        var url = PostgresUrl.Parse("postgresql://u:hunter2@h/d", "X");
        using var inUse = PasswordFile.For(url, folder.Path)!;
        var orphan = folder["aragora-pgpass-0123456789abcdef"];
        Directory.CreateDirectory(orphan);
        File.WriteAllText(Path.Combine(orphan, "pgpass"), "h:5432:*:u:hunter2\n");
        File.WriteAllText(orphan + ".owner", "");
        Directory.CreateDirectory(folder["aragora-pgpass-without-owner"]);

        using (var next = PasswordFile.For(url, folder.Path)!)
        {
            Directory.Exists(orphan).ShouldBeFalse();
            Directory.Exists(folder["aragora-pgpass-without-owner"]).ShouldBeFalse();
            File.Exists(inUse.Path).ShouldBeTrue();
            File.Exists(next.Path).ShouldBeTrue();
        }

        inUse.Dispose();
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("postgresql://u:a%0Ab@h/d")]
    [InlineData("postgresql://u%0A:x@h/d")]
    public void A_line_break_is_refused(string url)
    {
        using var folder = new TemporaryFolder();

        Should.Throw<BadInputException>(() => PasswordFile.For(PostgresUrl.Parse(url, "X"), folder.Path));

        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }
}
