namespace Aragora.Runbook.Tooling;

/// <summary>Why packages were not installed.</summary>
/// <param name="Kind">The kind of it.</param>
/// <param name="Why">In words for people.</param>
/// <param name="Next">What to type, or to do.</param>
public sealed record PackageObstacle(PackageObstacleKind Kind, string Why, string Next)
{
    internal static PackageObstacle Failed(PackageObstacleKind kind, IReadOnlyList<string> packages, string why) =>
        new(kind, why, $"sudo apt-get -s install --no-upgrade {Names(packages)}   shows why");

    internal static PackageObstacle OutOfSight(IReadOnlyList<string> packages) =>
        new(
            PackageObstacleKind.OutOfSight,
            $"{Names(packages)} {(packages.Count > 1 ? "are" : "is")} installed already, and what is wanted of {(packages.Count > 1 ? "them" : "it")} was not found",
            $"{(packages is ["postgresql"] ? "ls -d /usr/lib/postgresql/*/bin" : $"dpkg -L {Names(packages)} | grep /bin/")}   shows the folder; put it on the PATH");

    internal static PackageObstacle Refused(IReadOnlyList<string> packages, string harm) =>
        new(PackageObstacleKind.Refused, $"refused: installing {Names(packages)} would {harm}", $"in a quiet hour look at   apt-get -s install {Names(packages)}   and do it without -s");

    private static string Names(IReadOnlyList<string> packages) => string.Join(' ', packages);
}

/// <summary>Kinds of <see cref="PackageObstacle"/>.</summary>
public enum PackageObstacleKind
{
    /// <summary>apt-get does not know them, or the registry has them no more: with newer package lists it may.</summary>
    Unknown,

    /// <summary>apt-get could not.</summary>
    Failed,

    /// <summary>They are installed, and their programs were not found.</summary>
    OutOfSight,

    /// <summary>They would disturb what is at work.</summary>
    Refused,
}
