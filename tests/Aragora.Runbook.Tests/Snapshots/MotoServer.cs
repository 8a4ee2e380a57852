using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Xml.Linq;
using Amazon.RDS;
using Amazon.Runtime;
using Aragora.Runbook.Adapters.Rds;
using Aragora.Runbook.Servers;
using Xunit;

namespace Aragora.Runbook.Tests.Snapshots;

/// <summary>A moto_server of its own for each class: an independent implementation of AWS's API. It has no transitions: what is asked for is there at once.</summary>
public class MotoServer : IAsyncLifetime
{
    public const string Region = "eu-central-1";
    private static readonly HttpClient Http = new();
    private Process? process;
    private Uri? url;

    /// <summary>More variables for it, such as a quota.</summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where it listens. Without moto_server the test that asks is skipped: a fixture that skips would fail it.</summary>
    public Uri Url
    {
        get
        {
            Assert.SkipWhen(url is null, "moto_server is not on the PATH (pip install 'moto[server]')");
            return url!;
        }
    }

    /// <summary>Where a program of that name lies on the PATH; null where it does not.</summary>
    public static string? Program(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    public async ValueTask InitializeAsync()
    {
        var program = Program("moto_server");
        if (program is null)
        {
            return;
        }

        // Somebody else may take the port before moto does.
        for (var attempt = 1; !await StartsAsync(program); attempt++)
        {
            if (attempt == 3)
            {
                throw new InvalidOperationException("moto_server ended three times while it started: run it by hand, it says why.");
            }
        }
    }

    private async Task<bool> StartsAsync(string program)
    {
        var port = LoopbackPort.Free();
        url = new Uri($"http://127.0.0.1:{port}");
        var start = new ProcessStartInfo(program, ["-H", "127.0.0.1", "-p", $"{port}"]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in Settings)
        {
            start.Environment[name] = value;
        }

        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var answer = await Http.GetAsync(new Uri(Url, "/moto-api/"));
                answer.EnsureSuccessStatusCode();
                return !process.HasExited;
            }
            catch (HttpRequestException) when (process.HasExited)
            {
                return false;
            }
            catch (HttpRequestException) when (patience.Elapsed < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(100);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        process?.Kill(entireProcessTree: true);
        process?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>The product's adapter, on the SDK's client.</summary>
    public RdsApi Api(Uri? between = null, int retries = 0) => new(Client(between ?? Url, retries));

    public static IAmazonRDS Client(Uri url, int retries = 0) =>
        new AmazonRDSClient(new BasicAWSCredentials("testing", "testing"), new AmazonRDSConfig { ServiceURL = url.ToString(), AuthenticationRegion = Region, MaxErrorRetry = retries, Timeout = TimeSpan.FromSeconds(20) });

    /// <summary>Asks moto for what the product never does, such as making instances: AWS's Query protocol by hand.</summary>
    public async Task<XElement> AskAsync(string service, string action, params (string Name, string Value)[] members)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Url) { Content = new FormUrlEncodedContent([new("Action", action), new("Version", service == "rds" ? "2014-10-31" : "2016-11-15"), .. members.Select(member => new KeyValuePair<string, string>(member.Name, member.Value))]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", $"Credential=testing/20260101/{Region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == HttpStatusCode.OK ? XElement.Parse(text) : throw new InvalidOperationException($"{action}: {text}");
    }

    /// <summary>An instance of a name of its own, with every setting that moto keeps set to something that is no default.</summary>
    public async Task<string> NewInstanceAsync(string? engine = null, params (string Name, string Value)[] more)
    {
        var name = $"db-{Guid.NewGuid():N}"[..16];
        await AskAsync("rds", "CreateDBInstance", [("DBInstanceIdentifier", name), ("DBInstanceClass", "db.m6g.large"), ("Engine", engine ?? "postgres"), ("EngineVersion", "15.8"), ("AllocatedStorage", "50"), ("MasterUsername", "root"), ("MasterUserPassword", "a-password"), ("Port", "5433"), .. more]);
        return name;
    }

    /// <summary>The host name that moto makes up for an instance.</summary>
    public static string AddressOf(string instance) => $"{instance}.aaaaaaaaaa.{Region}.rds.amazonaws.com";
}
