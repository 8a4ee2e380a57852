using System.Globalization;

namespace Aragora.Runbook.Backups;

/// <summary>Compares positions in a server's write-ahead log, such as <c>0/15D6F48</c>.</summary>
public static class WalPosition
{
    /// <summary>Whether a position lies beyond what the server has written: then what was recorded there happened to another history. False where one is not known.</summary>
    /// <param name="recorded">The position at that time; null where none was recorded.</param>
    /// <param name="now">The server's position now; null where it was not read.</param>
    public static bool IsBeyond(string? recorded, string? now) => Parse(recorded) is { } then && Parse(now) is { } reached && then > reached;

    /// <summary>Bytes from the beginning; null for what is no position.</summary>
    private static ulong? Parse(string? text) =>
        text?.Split('/') is [var high, var low]
        && uint.TryParse(high, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var upper)
        && uint.TryParse(low, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var lower)
            ? ((ulong)upper << 32) | lower
            : null;
}
