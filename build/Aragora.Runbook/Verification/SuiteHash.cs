using Aragora.Runbook.Migrations;

namespace Aragora.Runbook.Verification;

/// <summary>Names a smoke test suite by content, so that a gate can tell the suite that it relies on from one that tests nothing.</summary>
public static class SuiteHash
{
    /// <summary>SHA-256 over a file and the <c>conftest.py</c> beside it, or over every <c>*.py</c> below a folder; hexadecimal. Null where there is no such suite.</summary>
    /// <param name="root">The root of the checkout.</param>
    /// <param name="suite">The suite as in <see cref="SmokeTestOptions.Suite"/>, relative to the root or absolute.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string? Of(string root, string suite)
    {
        var path = Path.GetFullPath(Path.Combine(root, suite));
        if (Directory.Exists(path))
        {
            return TreeHash.Of(path, Directory.EnumerateFiles(path, "*.py", SearchOption.AllDirectories));
        }

        if (!File.Exists(path))
        {
            return null;
        }

        var folder = Path.GetDirectoryName(path)!;
        return TreeHash.Of(folder, new[] { path, Path.Combine(folder, "conftest.py") }.Where(File.Exists));
    }
}
