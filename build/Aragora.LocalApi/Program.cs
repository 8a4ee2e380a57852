using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Aragora.LocalApi;

if (args is not [var configurationFile])
{
    await Console.Error.WriteLineAsync("usage: dotnet Aragora.LocalApi.dll <configuration file>   (the build writes it; see ./build.sh LocalUp)");
    return 2;
}

var configuration = JsonSerializer.Deserialize<ApiConfiguration>(await File.ReadAllTextAsync(configurationFile), ApiConfiguration.Json)!;
Session.Leave();

using var ending = new CancellationTokenSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    ending.Cancel();
});

// Ctrl-C of the build, and the end of the terminal that it ran in, are not meant for us.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);

var log = new ApiLog(configuration.LogFile, TimeProvider.System);
var health = new Health(configuration, log);

// The folder that we were started from may be removed while we run: everything that is loaded lazily is loaded now.
await health.AnswerAsync("/health", ending.Token);

using var listener = Listen(configuration.Port);
var port = ((IPEndPoint)listener.LocalEndpoint).Port;
await ApiState.WriteAsync(configuration.StateFile, new ApiState(Environment.ProcessId, port, configuration.Instance), ending.Token);
log.Write($"listening on 127.0.0.1:{port}, process {Environment.ProcessId}");

await Task.WhenAny(
    new HttpServer(listener, health.AnswerAsync, configuration.Instance, log).RunAsync(ending.Token),
    Existence.EndsAsync(configurationFile, ending.Token));
log.Write("ended");
return 0;

static TcpListener Listen(int wanted)
{
    try
    {
        return Start(wanted);
    }
    catch (SocketException inUse) when (inUse.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
    {
        // Somebody took the port since the last run. Whoever wants us reads the port from the state file.
        return Start(0);
    }
}

[SuppressMessage("Reliability", "CA2000", Justification = "The caller owns it.")]
static TcpListener Start(int port)
{
    var listener = new TcpListener(IPAddress.Loopback, port);
    listener.Start();
    return listener;
}
