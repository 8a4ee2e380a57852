using Nuke.Common.Execution;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public class Targets
{
    [Fact]
    public void Relations_are_known_on_both_sides()
    {
        var targets = ExecutableTargetFactory.CreateAll(new Relations(), x => x.Middle);
        var (first, middle, last, component) = (Named("First"), Named("Middle"), Named("Last"), Named("Component"));

        middle.IsDefault.ShouldBeTrue();
        middle.ExecutionDependencies.ShouldBe([component, first]);
        middle.OrderDependencies.ShouldBe([last]);
        middle.Triggers.ShouldBe([Named("Triggered")]);
        Named("Triggered").TriggerDependencies.ShouldBe([middle]);
        component.Listed.ShouldBeFalse();
        middle.Description.ShouldBe("in the middle");
        middle.StaticConditions[0].Text.ShouldBe("() => 1 + 1 == 2");

        ExecutableTarget Named(string name) => targets.Single(x => x.Name == name);
    }

    [Fact]
    public void A_target_on_itself_is_refused() =>
        Should.Throw<Exception>(() => ExecutableTargetFactory.CreateAll(new OnItself()))
            .Message.ShouldStartWith("Target 'Own' cannot have a dependency on itself");

    [Fact]
    public void An_override_can_take_over_what_it_overrides()
    {
        var build = new Derived();
        var target = ExecutableTargetFactory.CreateAll(build).Single();
        target.Actions.ForEach(x => x());
        build.Done.ShouldBe(["base", "derived"]);
    }

    [Fact]
    public void A_missing_component_is_passed_over_only_by_the_trying_form()
    {
        var targets = ExecutableTargetFactory.CreateAll(new Tries());
        targets.Single().ExecutionDependencies.ShouldBeEmpty();
    }

    private sealed class Relations : NukeBuild, IComponent
    {
        public Target First => _ => _.DependentFor(Middle);

        public Target Middle => _ => _
            .Description("in the middle")
            .DependsOn<IComponent>()
            .OnlyWhenStatic(() => 1 + 1 == 2);

        public Target Last => _ => _.Before(Middle);

        public Target Triggered => _ => _.TriggeredBy(Middle);
    }

    private interface IComponent : INukeBuild
    {
        Target Component => _ => _.Unlisted();
    }

    private interface IAbsent : INukeBuild
    {
        Target Absent => _ => _;
    }

    private sealed class OnItself : NukeBuild
    {
        public Target Own => _ => _.DependsOn(Own);
    }

    private class Original : NukeBuild
    {
        public List<string> Done { get; } = [];

        public virtual Target Work => _ => _.Executes(() => Done.Add("base"));
    }

    private sealed class Derived : Original
    {
        public override Target Work => _ => _.Base().Executes(() => Done.Add("derived"));
    }

    private sealed class Tries : NukeBuild
    {
        public Target Only => _ => _.TryDependsOn<IAbsent>().TryTriggers<IAbsent>().TryAfter<IAbsent>(x => x.Absent);
    }
}
