namespace Aragora.Runbook.Tooling;

/// <summary>How every Python child of ours runs: unbuffered, UTF-8 whatever the locale, and leaving no <c>__pycache__</c> in somebody's tree.</summary>
public static class PythonEnvironment
{
    /// <summary>The variables.</summary>
    public static IReadOnlyDictionary<string, string?> Variables { get; } = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["PYTHONUNBUFFERED"] = "1",
        ["PYTHONDONTWRITEBYTECODE"] = "1",
        ["PYTHONUTF8"] = "1",
    };
}
