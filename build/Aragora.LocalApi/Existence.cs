namespace Aragora.LocalApi;

/// <summary>Our reason to exist.</summary>
internal static class Existence
{
    /// <summary>Completes when the configuration file is gone: whoever erased the stack without asking us meant us as well.</summary>
    public static async Task EndsAsync(string configurationFile, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5));
        try
        {
            while (File.Exists(configurationFile))
            {
                await timer.WaitForNextTickAsync(cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // We are ending anyway.
        }
    }
}
