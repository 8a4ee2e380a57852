namespace Aragora.LocalApi;

/// <summary>One line an event. Requests are not events: a health check comes every few seconds.</summary>
internal sealed class ApiLog(string path, TimeProvider clock)
{
    private readonly Lock gate = new();

    public void Write(string message)
    {
        try
        {
            lock (gate)
            {
                File.AppendAllText(path, $"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {message}\n");
            }
        }
        catch (IOException)
        {
            // A full disk or a removed folder must not take /health down; it has nobody else to tell.
        }
    }
}
