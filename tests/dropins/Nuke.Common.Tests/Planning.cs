using Nuke.Common.Execution;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public class Planning
{
    private readonly ExecutableTarget _a = new() { Name = "Aa", IsDefault = true };
    private readonly ExecutableTarget _b = new() { Name = "Bb" };
    private readonly ExecutableTarget _c = new() { Name = "Cc" };

    [Fact]
    public void The_default_target_runs_where_none_is_named()
    {
        Plan(null).ShouldBe([_a]);
        _a.Invoked.ShouldBeFalse();
        _a.Status.ShouldBe(ExecutionStatus.Scheduled);
    }

    [Fact]
    public void Named_targets_run_alone_and_are_marked()
    {
        Plan("Bb").ShouldBe([_b]);
        (_a.Invoked, _b.Invoked, _c.Invoked).ShouldBe((false, true, false));
    }

    [Theory]
    [InlineData("bb")]
    [InlineData("b-b")]
    [InlineData("BB")]
    public void Case_and_dashes_do_not_count(string name) => Plan(name).ShouldBe([_b]);

    [Fact]
    public void Independent_targets_keep_the_reverse_of_what_is_left_last()
    {
        // Nothing orders them: what is declared first is put last.
        Plan("Aa", "Bb", "Cc").ShouldBe([_c, _b, _a]);
    }

    [Fact]
    public void Dependencies_run_before()
    {
        _a.ExecutionDependencies.Add(_b);
        _b.ExecutionDependencies.Add(_c);
        Plan(null).ShouldBe([_c, _b, _a]);
    }

    [Fact]
    public void Order_alone_adds_nothing()
    {
        _a.OrderDependencies.Add(_b);
        Plan(null).ShouldBe([_a]);
        Plan("Aa", "Bb").ShouldBe([_b, _a]);
    }

    [Fact]
    public void Triggers_run_after_and_trigger_further()
    {
        Trigger(_a, _b);
        Trigger(_b, _c);
        Plan(null).ShouldBe([_a, _b, _c]);
    }

    [Fact]
    public void What_is_triggered_brings_its_dependencies()
    {
        Trigger(_a, _b);
        _b.ExecutionDependencies.Add(_c);
        Plan(null).ShouldBe([_c, _a, _b], ignoreOrder: true);
        Plan(null)[^1].ShouldBe(_b);
    }

    [Fact]
    public void Dependency_trigger_and_order_together_hold()
    {
        _a.ExecutionDependencies.Add(_b);
        Trigger(_b, _c);
        _c.OrderDependencies.Add(_a);
        Plan(null).ShouldBe([_b, _a, _c]);
    }

    [Fact]
    public void Targets_of_elsewhere_do_not_count()
    {
        _a.ExecutionDependencies.Add(new ExecutableTarget { Name = "Elsewhere" });
        _a.Triggers.Add(new ExecutableTarget { Name = "Elsewhere" });
        Plan(null).ShouldBe([_a]);
    }

    [Fact]
    public void A_cycle_is_refused_by_name_even_where_it_would_not_run()
    {
        _b.ExecutionDependencies.Add(_c);
        _c.OrderDependencies.Add(_b);
        var message = Should.Throw<Exception>(() => Plan(null)).Message;
        message.ShouldStartWith("Circular dependencies between targets:");
        message.ShouldContain(" - Bb, Cc");
    }

    [Fact]
    public void An_unknown_target_is_refused_with_those_that_exist()
    {
        var message = Should.Throw<Exception>(() => Plan("Nothing")).Message;
        message.ShouldContain("Target with name 'Nothing' does not exist");
        message.ShouldContain("  - Aa");
    }

    private List<ExecutableTarget> Plan(params string[] names) => [.. ExecutionPlanner.GetExecutionPlan([_a, _b, _c], names)];

    private static void Trigger(ExecutableTarget source, ExecutableTarget target)
    {
        source.Triggers.Add(target);
        target.TriggerDependencies.Add(source);
    }
}
