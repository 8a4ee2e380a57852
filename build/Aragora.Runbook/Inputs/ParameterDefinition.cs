namespace Aragora.Runbook.Inputs;

/// <summary>One parameter of the build, as far as the guard has to know it.</summary>
/// <param name="Name">Its name in Pascal case, such as <c>StagingDatabaseUrl</c>.</param>
/// <param name="Type">The type of its value; an array takes several.</param>
/// <param name="CommandLineOnly">Whether it is dangerous, and so counts from the command line alone.</param>
/// <param name="Secret">Whether its value must not be repeated in a message.</param>
public sealed record ParameterDefinition(string Name, Type Type, bool CommandLineOnly = false, bool Secret = false)
{
    /// <summary>What separates several values in one word, such as a comma; null where they are words of their own.</summary>
    public string? Separator { get; init; }

    /// <summary>As it is typed: <c>--staging-database-url</c>.</summary>
    public string Switch { get; } = "--" + string.Concat(Name.Select((c, i) => char.IsUpper(c) && i > 0 ? "-" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));

    /// <summary>Whether it needs no value.</summary>
    public bool IsFlag => ValueType == typeof(bool);

    /// <summary>The type of one value.</summary>
    public Type ValueType => Nullable.GetUnderlyingType(Type) ?? (Type.IsArray ? Type.GetElementType()! : Type);

    /// <summary>NUKE ignores case and punctuation in names of switches and environment variables.</summary>
    public bool IsNamed(string name) => string.Equals(Trimmed(name), Trimmed(Name), StringComparison.OrdinalIgnoreCase);

    internal static string Trimmed(string name) => string.Concat(name.Where(char.IsLetterOrDigit));
}
