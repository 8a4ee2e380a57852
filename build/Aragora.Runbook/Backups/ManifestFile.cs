using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>Reads and writes a backup's <c>manifest.json</c>.</summary>
public static class ManifestFile
{
    /// <summary>The file's name.</summary>
    public const string Name = "manifest.json";

    /// <summary>Writes the manifest (mode 0600), flushed to disk.</summary>
    /// <returns>The file's SHA-256, hexadecimal.</returns>
    public static async Task<string> WriteAsync(string folder, BackupManifest manifest, CancellationToken cancellation)
    {
        var bytes = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(manifest, RunbookJson.Document) + "\n");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new FileStream(Path.Combine(folder, Name), options);
        await file.WriteAsync(bytes, cancellation);
        file.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>Reads and checks the manifest of a backup.</summary>
    /// <exception cref="RefusedException">It is missing, unreadable, of a newer format, or names files outside of its folder.</exception>
    public static BackupReference Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Unusable(folder, $"it has no {Name}", missing);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Unusable(folder, $"its {Name} cannot be read: {unreadable.Message}", unreadable);
        }

        BackupManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BackupManifest>(bytes, RunbookJson.Document) ?? throw new JsonException("it is empty");
        }
        catch (JsonException malformed)
        {
            throw Unusable(folder, $"its {Name} is not a manifest: {malformed.Message}", malformed);
        }

        if (Complaint(manifest) is { } complaint)
        {
            throw Unusable(folder, $"its {Name} {complaint}");
        }

        return new BackupReference(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), manifest, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <summary>The refusal of a folder that is no usable backup.</summary>
    internal static RefusedException Unusable(string folder, string why, Exception? inner = null) =>
        new($"{folder} is not a usable backup.", why, "./build.sh Backup   makes a new one", inner);

    private static string? Complaint(BackupManifest manifest)
    {
        if (manifest.Format != BackupManifest.CurrentFormat)
        {
            return $"is of format {manifest.Format}, and this build reads format {BackupManifest.CurrentFormat}";
        }

        // A JSON null gets past "required".
        if (manifest.Files is null || manifest.Database?.SystemIdentifier is null || manifest.Database.DatabaseName is null || manifest.Revisions is null || manifest.ClientVersion is null)
        {
            return "leaves out the files, the database or the versions";
        }

        if (manifest.Shape is null || manifest.Writes?.Tables is null || manifest.Digest is not { Tables: not null, Sequences: not null, LargeObjects: not null, Catalogue: not null })
        {
            return "leaves out the shape, the writes or the digest";
        }

        if (manifest.Files.Count == 0)
        {
            return "names no file";
        }

        var odd = manifest.Files.FirstOrDefault(file => file?.Path is null || file.Sha256 is null || !IsInside(file.Path));
        return odd is null ? null : $"names a file outside of the backup, or half of one: {odd.Path ?? "(none)"}";
    }

    private static bool IsInside(string path) =>
        path.Length > 0 && path[0] != '/' && !path.Contains('\\', StringComparison.Ordinal) && !path.Contains('\0', StringComparison.Ordinal) && !Path.IsPathRooted(path)
        && path.Split('/').All(part => part is not ("" or "." or ".."));
}
