namespace Nuke.Common.Execution.Theming;

/// <summary>How lines of the engine itself look.</summary>
public interface IHostTheme
{
    void WriteSuccess(string text = null);
    void WriteVerbose(string text = null);
    void WriteDebug(string text = null);
    void WriteInformation(string text = null);
    void WriteWarning(string text = null);
    void WriteError(string text = null);

    internal string FormatInformation(string text);
}
