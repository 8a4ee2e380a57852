using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Applications.Workloads;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>
/// Fake: stands before a real API server and keeps objects of kinds that it cannot hold, with their versions, merge patches and conflicts. Everything else goes through to
/// the real one. For a Kubernetes before 1.24 that was built with Go 1.18 or later: it dies when it is given a custom object (its reflect2 does not know that Go).
/// </summary>
internal sealed class FakeCustomObjects : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly KubernetesCluster real;
    private readonly IReadOnlyList<ClusterResource> kinds;
    private readonly Dictionary<string, JsonObject> objects = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly Task work;
    private int version = 1;

    public FakeCustomObjects(IReadOnlyList<ClusterResource> kinds)
    {
        this.kinds = kinds;
        real = KubernetesCluster.Connect(new ClusterAddress(ClusterBench.Kubeconfig, null, null));
        Url = $"http://127.0.0.1:{LoopbackPort.Free()}/";
        listener.Prefixes.Add(Url);
        listener.Start();
        work = ServeAsync();
    }

    public string Url { get; }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await work;
        listener.Close();
        real.Dispose();
    }

    private async Task ServeAsync()
    {
        var serving = new List<Task>();
        while (listener.IsListening)
        {
            try
            {
                serving.Add(AnswerAsync(await listener.GetContextAsync()));
            }
            catch (Exception stopped) when (stopped is HttpListenerException or InvalidOperationException)
            {
                break;
            }
        }

        await Task.WhenAll(serving);
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            await AnswerToAsync(context);
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException or InvalidOperationException or HttpRequestException or OperationCanceledException)
        {
            // The client did not wait, or the API server hung up on it.
            context.Response.Abort();
        }
    }

    private async Task AnswerToAsync(HttpListenerContext context)
    {
        var path = context.Request.Url!.AbsolutePath;
        var (status, body) = kinds.FirstOrDefault(kind => path.StartsWith($"/apis/{kind.Group}/{kind.Version}/", StringComparison.Ordinal)) is { } kind
            ? Own(context.Request, kind, path, await new StreamReader(context.Request.InputStream).ReadToEndAsync())
            : await PassAsync(context.Request, path);
        var bytes = Encoding.UTF8.GetBytes(body);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.OutputStream.WriteAsync(bytes);
        context.Response.Close();
    }

    private async Task<(int Status, string Body)> PassAsync(HttpListenerRequest request, string path)
    {
        using var passed = new HttpRequestMessage(new HttpMethod(request.HttpMethod), new Uri(real.Client.BaseUri, request.Url!.PathAndQuery));
        if (request.HasEntityBody)
        {
            passed.Content = new StreamContent(request.InputStream);
            passed.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(request.ContentType ?? "application/json");
        }

        using var answer = await real.Client.HttpClient.SendAsync(passed);
        var body = await answer.Content.ReadAsStringAsync();
        if (path.TrimEnd('/') == "/apis")
        {
            var list = JsonNode.Parse(body)!;
            foreach (var kind in kinds)
            {
                var served = new JsonObject { ["groupVersion"] = $"{kind.Group}/{kind.Version}", ["version"] = kind.Version };
                ((JsonArray)list["groups"]!).Add(new JsonObject { ["name"] = kind.Group, ["versions"] = new JsonArray(served), ["preferredVersion"] = served.DeepClone() });
            }

            body = list.ToJsonString();
        }

        return ((int)answer.StatusCode, body);
    }

    private (int Status, string Body) Own(HttpListenerRequest request, ClusterResource kind, string path, string body)
    {
        lock (gate)
        {
            var parts = path[$"/apis/{kind.Group}/{kind.Version}/".Length..].Split('/');
            return (request.HttpMethod, parts) switch
            {
                ("GET", [_]) => List(kind, null, request),
                ("GET", ["namespaces", var @namespace, _]) => List(kind, @namespace, request),
                ("GET", ["namespaces", var @namespace, _, var name]) => objects.TryGetValue(Key(kind, @namespace, name), out var found) ? (200, found.ToJsonString()) : Status(404, $"{kind} \"{name}\" not found"),
                ("POST", ["namespaces", var @namespace, _]) => Create(kind, @namespace, (JsonObject)JsonNode.Parse(body)!),
                ("PATCH", ["namespaces", var @namespace, _, var name]) => Patch(Key(kind, @namespace, name), (JsonObject)JsonNode.Parse(body)!),
                _ => Status(405, "not here"),
            };
        }
    }

    private (int Status, string Body) List(ClusterResource kind, string? @namespace, HttpListenerRequest request)
    {
        var name = request.QueryString["fieldSelector"]?.Split("metadata.name=")[1];
        var found = objects.Where(one => one.Key.StartsWith(Key(kind, @namespace ?? "", "").TrimEnd('/'), StringComparison.Ordinal) && (name is null || one.Value.Text("metadata", "name") == name));
        return (200, new JsonObject { ["items"] = new JsonArray([.. found.Select(one => one.Value.DeepClone())]) }.ToJsonString());
    }

    private (int Status, string Body) Create(ClusterResource kind, string @namespace, JsonObject json)
    {
        json.Put(@namespace, "metadata", "namespace");
        json.Put($"{++version}", "metadata", "resourceVersion");
        objects[Key(kind, @namespace, json.Text("metadata", "name")!)] = json;
        return (201, json.ToJsonString());
    }

    private (int Status, string Body) Patch(string key, JsonObject patch)
    {
        if (!objects.TryGetValue(key, out var json))
        {
            return Status(404, $"{key} not found");
        }

        if (patch.Text("metadata", "resourceVersion") is { } expected && expected != json.Text("metadata", "resourceVersion"))
        {
            return Status(409, "the object has been modified; please apply your changes to the latest version and try again");
        }

        Merge(json, patch);
        json.Put($"{++version}", "metadata", "resourceVersion");
        return (200, json.ToJsonString());
    }

    /// <summary>RFC 7386.</summary>
    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject deeper)
            {
                if (target[name] is not JsonObject there)
                {
                    target[name] = there = [];
                }

                Merge(there, deeper);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    private static string Key(ClusterResource kind, string @namespace, string name) => $"{kind}/{@namespace}/{name}";

    private static (int Status, string Body) Status(int code, string message) => (code, new JsonObject { ["kind"] = "Status", ["message"] = message, ["code"] = code }.ToJsonString());
}
