using Aragora.Runbook.Guards;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Guards;

public sealed class LockWatcherTests(RealServer server)
{
    [Fact]
    public async Task Whatever_happens_to_the_spectator_does_not_replace_the_migrations_outcome()
    {
        var told = new Sink();
        var run = RealServer.NewRun(new LoggerConfiguration().WriteTo.Sink(told).CreateLogger(), new BrokenTimers());

        var watcher = await LockWatcher.StartAsync(run, await server.NewDatabaseAsync(), "aragora-migrate-x", interval: null, CancellationToken.None);
        await Should.NotThrowAsync(() => watcher.DisposeAsync().AsTask());

        told.Last.ShouldNotBeNull();
        told.Last.RenderMessage().ShouldBe("Who blocks the migration can no longer be seen");
        told.Last.Exception.ShouldBeOfType<NotSupportedException>();
    }

    private sealed class BrokenTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Broken(base.CreateTimer(callback, state, dueTime, period));

        private sealed class Broken(ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                timer.Dispose();
                throw new NotSupportedException("an unexpected failure");
            }

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }

    private sealed class Sink : ILogEventSink
    {
        public LogEvent? Last { get; private set; }

        public void Emit(LogEvent logEvent) => Last = logEvent;
    }
}
