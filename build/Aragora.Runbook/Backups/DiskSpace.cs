namespace Aragora.Runbook.Backups;

/// <summary>Free space where a folder is, or would be.</summary>
public static class DiskSpace
{
    /// <summary>Bytes that we may still write on the file system of the folder, or of the nearest one above that exists.</summary>
    public static long FreeBytes(string folder)
    {
        var there = new DirectoryInfo(Path.GetFullPath(folder));
        while (!there.Exists && there.Parent is { } above)
        {
            there = above;
        }

        return new DriveInfo(there.FullName).AvailableFreeSpace;
    }
}
