using System.Text.Json;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Reporting;

public sealed class MaskingLoggerTests : IDisposable
{
    private readonly string folder = TestFolders.New("log");
    private readonly SecretMask secrets = new();
    private readonly Collected people = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_secret_is_in_neither_log_wherever_it_was_put()
    {
        secrets.Add("hunter2:secret");
        using (var log = Open())
        {
            log.Information("template hunter2:secret");
            log.Information("property {Url}", new Uri("postgresql://u:hunter2%3Asecret@h/d"));
            log.Information("list {@Items}", new object[] { new[] { "x", "hunter2:secret" }, new { Password = "hunter2:secret" }, new Dictionary<string, string> { ["hunter2:secret"] = "hunter2:secret" } });
            log.Error(new InvalidOperationException("hunter2:secret", new IOException("hunter2:secret")), "failed");
            log.ForContext("Dsn", "hunter2:secret").Warning("split {A:l}{B:l}", "hunter2:", "secret");
        }

        people.Text.ShouldContain("***");
        people.Text.ShouldNotContain("hunter2");
        FileText().ShouldContain("***");
        FileText().ShouldNotContain("hunter2:secret");
        FileText().ShouldNotContain("hunter2%3Asecret");
    }

    [Fact]
    public void People_see_the_message_of_a_runbook_failure_and_the_file_its_stack()
    {
        using (var log = Open())
        {
            try
            {
                throw new RefusedException("Refused.", "because", "./build.sh Status", new InvalidOperationException("cause"));
            }
            catch (RefusedException failure)
            {
                log.Error(failure, "MigrateProduction failed");
            }
        }

        people.Text.ShouldContain("MigrateProduction failed\nRefused.");
        people.Text.ShouldContain("./build.sh Status");
        people.Text.ShouldNotContain("   at ");
        FileText().ShouldContain("   at ");
        FileText().ShouldContain("cause");
    }

    [Fact]
    public void A_failure_that_nobody_foresaw_keeps_its_stack()
    {
        using (var log = Open())
        {
            log.Error(new InvalidOperationException("unforeseen"), "failed");
        }

        people.Text.ShouldContain("System.InvalidOperationException: unforeseen");
    }

    [Fact]
    public void A_child_cannot_give_orders_to_the_CI_host_through_the_log()
    {
        using (var log = Open())
        {
            log.Information("{Line:l}", "::error::x");
            log.Information("{A:l}{B:l}", ":", ":error::x");
            log.Information("first\n{Line:l}", "##vso[task.complete]");
            log.Error(new InvalidOperationException("first\n::error::x"), "x");
        }

        people.Text.Split('\n').ShouldAllBe(line => !line.TrimStart().StartsWith("::", StringComparison.Ordinal) && !line.Contains("##vso[", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_line_of_the_file_is_JSON_with_its_properties_in_their_types()
    {
        using (var log = Open())
        {
            log.Debug("took {Seconds} for {Count} {Flag}", 1.5, 3, true);
        }

        people.Text.ShouldBe("");
        var line = JsonDocument.Parse(FileText().Trim()).RootElement;
        line.GetProperty("Seconds").GetDouble().ShouldBe(1.5);
        line.GetProperty("Count").GetInt32().ShouldBe(3);
        line.GetProperty("@mt").GetString().ShouldBe("took {Seconds} for {Count} {Flag}");
    }

    private Logger Open() => MaskingLogger.Create(new LoggerConfiguration().MinimumLevel.Information().WriteTo.Sink(people).CreateLogger(), secrets, folder);

    private string FileText() => File.ReadAllText(Path.Combine(folder, MaskingLogger.FileName));

    private sealed class Collected : ILogEventSink
    {
        public string Text { get; private set; } = "";

        public void Emit(LogEvent logEvent) => Text += logEvent.RenderMessage() + "\n" + (logEvent.Exception is null ? "" : logEvent.Exception + "\n")
            + string.Concat(logEvent.Properties.Values.Select(value => value + "\n"));
    }
}
