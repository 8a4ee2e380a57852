namespace Nuke.Common;

/// <summary>Without a value the build does not start.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public class RequiredAttribute : Attribute;

/// <summary>No warning when no value can be had.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public class OptionalAttribute : Attribute;

/// <summary>The value is a secret. (Nothing masks it in the log: the build must.)</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public class SecretAttribute : Attribute;

/// <summary>Injected values of the build, other than parameters, are resolved only where a target requires them.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class OnDemandValueInjectionAttribute : Attribute;

/// <summary>As <see cref="OnDemandValueInjectionAttribute"/>, for one member.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
public class OnDemandAttribute : Attribute;

/// <summary>What stands before the names of a component's parameters.</summary>
[AttributeUsage(AttributeTargets.Interface, AllowMultiple = false, Inherited = false)]
public class ParameterPrefixAttribute(string prefix) : Attribute
{
    private const string Suffix = "Prefix";

    /// <summary>The prefix, without a trailing "Prefix".</summary>
    public string Prefix { get; } = prefix.EndsWith(Suffix, StringComparison.Ordinal) ? prefix[..^Suffix.Length] : prefix;
}
