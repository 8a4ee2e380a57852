using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Aragora.Runbook.Migrations;

/// <summary>Names a migrations tree by content, wherever it is checked out and whatever git made of its line endings.</summary>
public static class TreeHash
{
    /// <summary>SHA-256 over the files' paths below <paramref name="folder"/> and their contents (CRLF read as LF), hexadecimal.</summary>
    public static string Of(string folder, IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, path) in files.Select(path => (Name: Path.GetRelativePath(folder, path).Replace('\\', '/'), path)).Distinct().OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            var content = Normalized(File.ReadAllBytes(path));
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\0{content.Length}\0")));
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Normalized(byte[] content)
    {
        var kept = new List<byte>(content.Length);
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] != '\r' || i + 1 == content.Length || content[i + 1] != '\n')
            {
                kept.Add(content[i]);
            }
        }

        return [.. kept];
    }
}
