using System.Diagnostics;
using static Nuke.Common.IO.PathConstruction;

namespace Nuke.Common.IO;

/// <summary>A path that is not rooted.</summary>
[DebuggerDisplay("{_path}")]
public class RelativePath
{
    private readonly string _path;
    private readonly char? _separator;

    protected RelativePath(string path, char? separator = null)
    {
        _path = path;
        _separator = separator;
    }

    public static explicit operator RelativePath(string path) => path is null ? null : new RelativePath(NormalizePath(path));

    public static implicit operator string(RelativePath path) => path?._path;

    public static RelativePath operator /(RelativePath left, string right)
    {
        var separator = left.NotNull()._separator;
        return new RelativePath(NormalizePath(Combine(left, (RelativePath)right, separator), separator), separator);
    }

    public static RelativePath operator /(RelativePath left, Range range)
    {
        Assert.True(range.Equals(Range.All));
        return left / "..";
    }

    public static RelativePath operator +(RelativePath left, string right) => new(left.ToString() + right);

    public override string ToString() => _path;
}

/// <summary>A path that is not rooted, with slashes.</summary>
public class UnixRelativePath : RelativePath
{
    protected UnixRelativePath(string path, char? separator)
        : base(path, separator)
    {
    }

    public static explicit operator UnixRelativePath(string path) => new(NormalizePath(path, UnixSeparator), UnixSeparator);
}
