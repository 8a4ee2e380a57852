namespace Aragora.Runbook.Tests.Servers;

/// <summary>A folder that the server's user can enter, as /tmp's own are not; erased at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"aragora-t-{Guid.NewGuid():N}"[..22]);
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
