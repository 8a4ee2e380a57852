using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Servers;

public sealed class ExclusiveLockTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_held_lock_is_refused_after_the_patience_and_names_its_file()
    {
        using var held = ExclusiveLock.TryAcquire(folder["a.lock"]);
        held.ShouldNotBeNull();
        ExclusiveLock.TryAcquire(folder["a.lock"]).ShouldBeNull();

        var refusal = await Should.ThrowAsync<RefusedException>(() => ExclusiveLock.AcquireAsync(folder["a.lock"], "a thing", TimeSpan.FromMilliseconds(100), CancellationToken.None));
        refusal.Message.ShouldContain("a.lock");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told_at_once_and_not_taken_for_a_held_lock()
    {
        await File.WriteAllTextAsync(folder["file"], "");
        var refusal = Should.Throw<BadInputException>(() => ExclusiveLock.TryAcquire(folder["file/below/c.lock"]));
        refusal.Message.ShouldContain("c.lock");
    }

    [Fact]
    public async Task Never_do_two_hold_it_though_every_holder_deletes_the_file()
    {
        var inside = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var round = 0; round < 25; round++)
            {
                var held = await ExclusiveLock.AcquireAsync(folder["b.lock"], "a thing", TimeSpan.FromMinutes(1), CancellationToken.None);
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                held.DisposeAndDelete();
            }
        })));

        most.ShouldBe(1);
        File.Exists(folder["b.lock"]).ShouldBeFalse();
    }
}
