using System.Diagnostics;
using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities.Collections;

namespace Nuke.Common.Execution;

/// <summary>A target as it is planned and run.</summary>
[DebuggerDisplay("{Name} ({Status})")]
public class ExecutableTarget
{
    internal TargetDefinition Definition { get; set; }
    internal Stopwatch Stopwatch { get; } = new();

    public MemberInfo Member { get; set; }
    public string Name { get; set; }
    public string Description { get; set; }
    public bool Listed { get; set; }

    /// <summary>The value of the property that declares the target.</summary>
    public Delegate Factory { get; set; }
    public List<(string Text, Func<bool> Delegate)> DynamicConditions { get; internal set; } = [];
    public List<(string Text, Func<bool> Delegate)> StaticConditions { get; internal set; } = [];
    public DependencyBehavior DependencyBehavior { get; internal set; }
    public bool AssuredAfterFailure { get; internal set; }
    public bool ProceedAfterFailure { get; internal set; }
    public List<LambdaExpression> DelegateRequirements { get; internal set; } = [];
    public List<Action> Actions { get; internal set; } = [];

    /// <summary>From DependsOn and DependentFor: these run before, and because of this one.</summary>
    public List<ExecutableTarget> ExecutionDependencies { get; } = [];

    /// <summary>From After and Before: if these run, they run before.</summary>
    public List<ExecutableTarget> OrderDependencies { get; } = [];

    /// <summary>From TriggeredBy and Triggers: these cause this one, and run before.</summary>
    public List<ExecutableTarget> TriggerDependencies { get; } = [];

    /// <summary>What this one causes.</summary>
    public List<ExecutableTarget> Triggers { get; } = [];

    /// <summary>All that runs before, if it runs.</summary>
    public IReadOnlyCollection<ExecutableTarget> AllDependencies => [.. ExecutionDependencies, .. OrderDependencies, .. TriggerDependencies];

    public LookupTable<ExecutableTarget, string> ArtifactDependencies { get; internal set; } = new();
    public List<string> ArtifactProducts { get; internal set; } = [];
    public int? PartitionSize { get; set; }

    public TimeSpan Duration => Stopwatch.Elapsed;
    public bool IsDefault { get; set; }
    public ExecutionStatus Status { get; set; }

    /// <summary>Whether the command line (or the environment) named it. A default target is not.</summary>
    public bool Invoked { get; set; }

    /// <summary>The facts beside the target in the summary.</summary>
    public Dictionary<string, string> SummaryInformation { get; internal set; } = new(StringComparer.Ordinal);

    /// <summary>Why it is skipped; null if nothing says so.</summary>
    public string Skipped
    {
        get => SummaryInformation.GetValueOrDefault(nameof(Skipped));
        set => SetFact(nameof(Skipped), value);
    }

    /// <summary>The conditions that did not hold; null if there are none.</summary>
    public string OnlyWhen
    {
        get => SummaryInformation.GetValueOrDefault(nameof(OnlyWhen));
        set => SetFact(nameof(OnlyWhen), value);
    }

    private void SetFact(string name, string value)
    {
        if (value is not null)
            SummaryInformation[name] = value;
    }
}
