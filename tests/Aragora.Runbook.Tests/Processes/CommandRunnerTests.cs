using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Processes;

public sealed class CommandRunnerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly CommandRunner commands = new(TimeProvider.System);

    public CommandRunnerTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "these commands are of a POSIX shell");

    [Theory]
    [InlineData("STAGING_DATABASE_URL")]
    [InlineData("stagingDatabaseUrl")]
    [InlineData("NUKE_STAGING_DATABASE_URL")]
    [InlineData("NukeStagingDatabaseUrl")]
    public async Task A_secret_of_ours_is_not_inherited_in_any_spelling_that_NUKE_reads(string variable)
    {
        // The shell in the middle inherits the variable as we would from the shell that started us.
        var name = $"{variable}_{Guid.NewGuid():N}";
        Environment.SetEnvironmentVariable(name, "postgresql://u:hunter2@h/d");
        try
        {
            var withholding = new CommandRunner(TimeProvider.System, ["StagingDatabaseUrl" + name[^32..]]);

            (await withholding.RunAsync(Shell("env"))).Output.ShouldNotContain("hunter2");
            (await commands.RunAsync(Shell("env"))).Output.ShouldContain("hunter2");
            (await withholding.RunAsync(Shell("env") with { Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { [name] = "given" } })).Output.ShouldContain($"{name}=given");
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, null);
        }
    }

    [Fact]
    public async Task A_grandchild_that_keeps_the_pipe_open_does_not_keep_us()
    {
        var result = await commands.RunAsync(Shell("sleep 600 & echo $!; exit 3") with { Drain = TimeSpan.FromMilliseconds(300) }).WaitAsync(Patience);

        result.ExitCode.ShouldBe(3);
        Kill(result.Output);
    }

    [Fact]
    public async Task Cancelling_while_only_a_grandchild_is_left_ends_it()
    {
        using var cancel = new CancellationTokenSource();
        var started = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = commands.RunAsync(Shell("(trap '' TERM; echo $(sh -c 'echo $PPID'); sleep 600; sleep 600) & exit 0") with { Drain = TimeSpan.FromMinutes(10) }, (line, _) => started.TrySetResult(Number(line)), cancel.Token);
        var grandchild = await started.Task.WaitAsync(Patience);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        IsAlive(grandchild).ShouldBeFalse();
    }

    [Fact]
    public async Task A_cancelled_command_that_obeys_takes_its_descendants_along_even_those_that_ignore_the_request()
    {
        using var cancel = new CancellationTokenSource();
        var pids = new ConcurrentBag<int>();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = commands.RunAsync(
            Shell("sh -c 'trap \"\" TERM; echo $$; sleep 600' & (setsid sh -c 'trap \"\" TERM; echo $$; sleep 600' &) ; trap 'exit 0' TERM; while :; do sleep 0.05; done"),
            (line, _) =>
            {
                pids.Add(Number(line));
                if (pids.Count == 2)
                {
                    started.SetResult();
                }
            },
            cancel.Token);
        await started.Task.WaitAsync(Patience);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        pids.ShouldAllBe(pid => !IsAlive(pid));
    }

    [Fact]
    public async Task A_cancelled_command_that_does_not_obey_is_killed_after_its_grace()
    {
        using var cancel = new CancellationTokenSource();
        var started = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = commands.RunAsync(Shell("trap '' TERM; echo $$; while :; do sleep 0.05; done") with { Grace = TimeSpan.FromMilliseconds(200) }, (line, _) => started.TrySetResult(Number(line)), cancel.Token);
        var child = await started.Task.WaitAsync(Patience);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        IsAlive(child).ShouldBeFalse();
    }

    [Fact]
    public async Task A_cancelled_command_is_asked_to_end_before_it_is_killed()
    {
        var folder = TestFolders.New("command");
        using var cancel = new CancellationTokenSource();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = commands.RunAsync(Shell($"trap 'echo asked > {folder}/told; exit 0' TERM; echo ready; while :; do sleep 0.05; done"), (_, _) => started.TrySetResult(), cancel.Token);
        await started.Task.WaitAsync(Patience);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        (await File.ReadAllTextAsync(Path.Combine(folder, "told"))).ShouldBe("asked\n");
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_signal_needs_no_program_and_one_to_nobody_is_told()
    {
        using var sleeping = Process.Start("/bin/sh", ["-c", "exec sleep 600"]);

        Signals.Send(sleeping.Id, Signal.Kill).ShouldBeTrue();

        await sleeping.WaitForExitAsync().WaitAsync(Patience);
        sleeping.ExitCode.ShouldBe(137);
        Signals.Send(sleeping.Id, Signal.Kill).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_group_of_processes_is_never_signalled(int process) =>
        Should.Throw<ArgumentOutOfRangeException>(() => Signals.Send(process, Signal.Terminate));

    [Fact]
    public async Task A_listener_that_throws_neither_stops_the_child_nor_is_forgotten()
    {
        var lines = 0;
        var done = Path.Combine(Path.GetTempPath(), $"aragora-t-{Guid.NewGuid():N}");

        // More than a pipe holds, so that a child whose reader is gone would stop.
        var thrown = await Should.ThrowAsync<InvalidOperationException>(() => commands.RunAsync(
            Shell($"seq 1 100000; touch {done}"),
            (_, _) =>
            {
                lines++;
                throw new InvalidOperationException("the listener's");
            }).WaitAsync(Patience));

        thrown.Message.ShouldBe("the listener's");
        lines.ShouldBe(1);
        File.Exists(done).ShouldBeTrue();
        File.Delete(done);
    }

    [Fact]
    public async Task A_child_that_does_not_read_its_input_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = commands.RunAsync(Shell("echo ready; exec sleep 600") with { StandardInput = new string('x', 1_000_000) }, (_, _) => started.TrySetResult(), cancel.Token);
        await started.Task.WaitAsync(Patience);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
    }

    private static Command Shell(string script) => new() { Program = "/bin/sh", Arguments = ["-c", script] };

    private static int Number(string line) => int.Parse(line, CultureInfo.InvariantCulture);

    private static bool IsAlive(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Kill(string pid)
    {
        using var process = Process.GetProcessById(Number(pid.Trim()));
        process.Kill();
    }
}
