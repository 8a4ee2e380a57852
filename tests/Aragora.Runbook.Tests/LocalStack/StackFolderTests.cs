using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.LocalStack;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.LocalStack;

public sealed class StackFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CommandRunner commands = new(TimeProvider.System);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Root_whose_home_is_closed_to_the_servers_user_gets_a_folder_below_var()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "paths of Linux");
        StackFolder.Choose("/root/a clone", new Surroundings(IsRoot: true, "/root/.state", "/root")).ShouldBe(("/var/lib/aragora-build", "/var/lib/aragora-build/85d339607c73"));
    }

    [Fact]
    public void Two_checkouts_have_two_folders_and_a_trailing_slash_makes_no_difference()
    {
        var here = new Surroundings(IsRoot: true, null, null);
        StackFolder.Choose("/src/one", here).ShouldNotBe(StackFolder.Choose("/src/two", here));
        StackFolder.Choose("/src/one/", here).ShouldBe(StackFolder.Choose("/src/one", here));
    }

    [Fact]
    public void An_ordinary_user_gets_one_in_the_state_home_then_in_the_home_then_in_the_checkout()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "paths of Unix");
        StackFolder.Choose("/src", new Surroundings(false, "/state", folder.Path)).Parent.ShouldBe("/state/aragora-build");
        StackFolder.Choose("/src", new Surroundings(false, "relative", folder.Path)).Parent.ShouldBe(folder[".local/state/aragora-build"]);
        StackFolder.Choose("/src", new Surroundings(false, null, "/nonexistent")).Parent.ShouldBe("/src/.nuke/temp/local");
    }

    [Fact]
    public async Task A_folder_of_somebody_else_and_a_link_are_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a folder away");
        Directory.CreateDirectory(folder["theirs"]);
        await commands.RunAsync(new Command { Program = "chown", Arguments = ["daemon", folder["theirs"]] });
        Directory.CreateDirectory(folder["target"]);
        Directory.CreateSymbolicLink(folder["link"], folder["target"]);

        (await Should.ThrowAsync<BadInputException>(() => StackFolder.PrepareAsync(folder["theirs"], commands, CancellationToken.None))).Message.ShouldContain("belongs to somebody else");
        await Should.ThrowAsync<BadInputException>(() => StackFolder.PrepareAsync(folder["link"], commands, CancellationToken.None));
    }

    [Fact]
    public async Task A_folder_that_others_could_write_to_is_closed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes of Unix");
            return;
        }

        Directory.CreateDirectory(folder["open"]);
        File.SetUnixFileMode(folder["open"], (UnixFileMode)0x1FF);

        await StackFolder.PrepareAsync(folder["open"], commands, CancellationToken.None);

        (File.GetUnixFileMode(folder["open"]) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.OtherRead)).ShouldBe(UnixFileMode.None);
    }
}
