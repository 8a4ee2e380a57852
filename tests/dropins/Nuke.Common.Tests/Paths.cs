using Nuke.Common.IO;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public sealed class Paths : IDisposable
{
    private readonly AbsolutePath _directory = (AbsolutePath)Path.GetTempPath() / Guid.NewGuid().ToString("n");

    public void Dispose() => _directory.DeleteDirectory();

    [Theory]
    [InlineData("/a/./b/../c/", "/a/c")]
    [InlineData("/", "/")]
    [InlineData("C:\\a/b\\..\\c", "C:\\a\\c")]
    [InlineData("C:\\", "C:\\")]
    [InlineData("\\\\server\\share\\", "\\\\server\\share")]
    public void Paths_are_normalized(string given, string expected) => ((string)(AbsolutePath)given).ShouldBe(expected);

    [Theory]
    [InlineData("/foo", "/")]
    [InlineData("/", null)]
    [InlineData("C:\\A\\B", "C:\\A")]
    [InlineData("C:\\", null)]
    [InlineData("\\\\server\\foo", "\\\\server")]
    [InlineData("\\\\server", null)]
    public void The_parent_ends_at_the_root(string path, string expected)
    {
        ((string)((AbsolutePath)path).Parent).ShouldBe(expected);
        ((string)((AbsolutePath)path / ..)).ShouldBe(expected);
    }

    [Fact]
    public void Slash_goes_down_and_plus_lengthens()
    {
        var path = (AbsolutePath)"/a" / "b" / "../c";
        ((string)path).ShouldBe("/a/c");
        ((string)(path + ".txt")).ShouldBe("/a/c.txt");
        (path + ".txt").NameWithoutExtension.ShouldBe("c");
        (path == (AbsolutePath)"/a/c").ShouldBeTrue();
        (path != (AbsolutePath)"/a/C").ShouldBeTrue();
    }

    [Fact]
    public void What_is_not_rooted_is_no_absolute_path_and_what_is_cannot_go_below()
    {
        Should.Throw<ArgumentException>(() => (AbsolutePath)"a").Message.ShouldContain("must be rooted");
        Should.Throw<ArgumentException>(() => (AbsolutePath)"/a" / "/b");
        Should.Throw<ArgumentException>(() => (AbsolutePath)"/a" / "../..");
        ((AbsolutePath)(string)null).ShouldBeNull();
    }

    [Theory]
    [InlineData("/bin/etc", "/bin/tmp", "../tmp")]
    [InlineData("/a", "/a/b/c", "b/c")]
    public void One_path_is_told_from_another(string from, string to, string expected) =>
        ((string)((AbsolutePath)from).GetUnixRelativePathTo(to)).ShouldBe(expected);

    [Theory]
    [InlineData("/a/b", "/a/b/c", true)]
    [InlineData("/a/b", "/a/bc", false)]
    [InlineData("/a/b", "/a", false)]
    public void Containing_is_by_whole_names(string outer, string inner, bool expected) => ((AbsolutePath)outer).Contains(inner).ShouldBe(expected);

    [Fact]
    public void Files_are_written_read_and_found()
    {
        (_directory / "x" / "one.cs").WriteAllText("1");
        (_directory / "x" / "y" / "two.cs").WriteAllLines(["2", "3"]);
        (_directory / "three.txt").TouchFile();

        (_directory / "x" / "one.cs").ReadAllText().ShouldBe("1\n");
        (_directory / "x" / "y" / "two.cs").ReadAllLines().ShouldBe(["2", "3"]);
        _directory.GlobFiles("**/*.cs").Select(x => x.Name).ShouldBe(["one.cs", "two.cs"]);
        _directory.GlobFiles("*.{txt,md}", "x/o?e.*").Select(x => x.Name).ShouldBe(["three.txt", "one.cs"]);
        _directory.GlobDirectories("**").Select(x => x.Name).ShouldBe(["x", "y"]);
        (_directory / "x" / "*.cs").GlobFiles().Select(x => x.Name).ShouldBe(["one.cs"]);

        var someFile = _directory / "three.txt";
        someFile.Exists().ShouldBeTrue();
        _directory.Exists().ShouldBeTrue();
        someFile.DeleteFile();
        someFile.Existing().ShouldBeNull();
    }
}
