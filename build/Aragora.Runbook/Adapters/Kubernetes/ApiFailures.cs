using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text.Json;
using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Why the API did not do what it was asked.</summary>
public enum ApiFailureKind
{
    /// <summary>It did not answer, or it answered that it cannot now: it may later.</summary>
    Unreachable,

    /// <summary>401: it does not know who asks; also after the credentials were read anew.</summary>
    Unauthorized,

    /// <summary>403: whoever asks may not.</summary>
    Forbidden,

    /// <summary>403: a quota of the namespace is used up.</summary>
    QuotaExceeded,

    /// <summary>400 or 403 by an admission controller, a policy or a webhook.</summary>
    Denied,

    /// <summary>404.</summary>
    NotFound,

    /// <summary>409: it is there already, or somebody changed it in between.</summary>
    Conflict,

    /// <summary>400 or 422: what was sent is not valid; the message names the field.</summary>
    Invalid,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>What the API is asked.</summary>
/// <param name="Verb">RBAC's verb, such as <c>create</c>.</param>
/// <param name="Resource">RBAC's resource with its group, such as <c>jobs.batch</c> or <c>pods/log</c>.</param>
/// <param name="Name">The object; null for a list.</param>
public sealed record ApiAct(string Verb, string Resource, string? Name = null)
{
    /// <summary>For messages.</summary>
    public override string ToString() => Name is null ? $"{Verb} {Resource}" : $"{Verb} {Resource} \"{Name}\"";
}

/// <summary>The API did not do what it was asked. The exit code is that of wrong input (2) where it could not be asked, and of a refusal (3) where it refused.</summary>
public sealed class KubernetesApiException(ApiFailureKind kind, string what, string why, string next, Exception? inner) : RunbookException(what, why, next, inner)
{
    /// <summary>Why.</summary>
    public ApiFailureKind Kind { get; } = kind;

    /// <inheritdoc/>
    public override int ExitCode => Kind is ApiFailureKind.Unreachable or ApiFailureKind.Unauthorized or ApiFailureKind.NotFound ? ExitCodes.BadInput : ExitCodes.Refused;
}

/// <summary>The server refused to open a stream; .NET tells no more than the status.</summary>
internal sealed class StreamRefusedException(HttpStatusCode status, Exception inner) : Exception(inner.Message, inner)
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>The one place that turns failures of the API into messages.</summary>
internal static class ApiFailures
{
    /// <summary>Whether this is a failure of the API, or of the way to it.</summary>
    public static bool IsOne(Exception failure) =>
        failure is HttpOperationException or StreamRefusedException or HttpRequestException or IOException or SocketException or AuthenticationException or WebSocketException
            or OperationCanceledException or TimeoutException or JsonException or k8s.Exceptions.KubeConfigException;

    /// <summary>Which kind it is.</summary>
    public static ApiFailureKind KindOf(Exception failure) => Answered(failure) is not { } answer ? ApiFailureKind.Unreachable : answer.Code switch
    {
        HttpStatusCode.Unauthorized => ApiFailureKind.Unauthorized,
        HttpStatusCode.Forbidden when answer.Message.Contains("exceeded quota", StringComparison.Ordinal) => ApiFailureKind.QuotaExceeded,
        HttpStatusCode.Forbidden when answer.Message.Contains(" cannot ", StringComparison.Ordinal) || answer.Message.Length == 0 => ApiFailureKind.Forbidden,
        HttpStatusCode.Forbidden => ApiFailureKind.Denied,
        HttpStatusCode.BadRequest when answer.Message.Contains("admission webhook", StringComparison.Ordinal) => ApiFailureKind.Denied,
        HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity => ApiFailureKind.Invalid,
        HttpStatusCode.NotFound => ApiFailureKind.NotFound,
        HttpStatusCode.Conflict => ApiFailureKind.Conflict,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => ApiFailureKind.Unreachable,
        _ => ApiFailureKind.Other,
    };

    /// <summary>The message for people; the technical cause stays inside.</summary>
    public static KubernetesApiException Explain(KubernetesCluster cluster, ApiAct act, Exception failure)
    {
        var kind = KindOf(failure);
        var answer = Answered(failure);
        var said = answer is { Message.Length: > 0 } ? answer.Message : answer is not null ? $"it answered {(int)answer.Code} ({answer.Code})" : "";
        var where = $"{cluster.Description}, namespace \"{cluster.Namespace}\"";
        var (what, why, next) = kind switch
        {
            ApiFailureKind.Unreachable when answer is not null => (
                $"The Kubernetes API at {cluster.Server} cannot answer now.", said, "wait a little and repeat the command"),
            ApiFailureKind.Unreachable => (
                $"The Kubernetes API at {cluster.Server} cannot be reached.", Network(failure), $"check the VPN and the network; {cluster.Kubectl.ClusterLine("version")}   asks the same server; another cluster is named with --kubeconfig and the context"),
            ApiFailureKind.Unauthorized => (
                $"The Kubernetes API at {cluster.Server} does not accept the login of {cluster.Description}.",
                "its token or certificate is wrong or has expired; the configuration was read anew, its plugin or token file asked again, and it was refused again",
                $"log in again as your cluster wants it, until  {cluster.Kubectl.Line("auth can-i --list")}  answers; then repeat the command"),
            ApiFailureKind.Forbidden => ($"The Kubernetes API does not let us {act}.", said.Length > 0 ? said : $"in {where}", Grant(cluster, act)),
            ApiFailureKind.QuotaExceeded => (
                $"A quota of namespace \"{cluster.Namespace}\" is used up: the API did not {act}.", said, $"{cluster.Kubectl.Line("describe quota")}   shows it; free some of it, or ask for less (--migration-cpu, --migration-memory)"),
            ApiFailureKind.Denied => ($"A policy of the cluster denies it: the API did not {act}.", said, "change the job file as the policy wants it, or ask the cluster's administrator"),
            ApiFailureKind.NotFound when said.Contains("namespaces \"", StringComparison.Ordinal) => (
                $"There is no namespace \"{cluster.Namespace}\" in {cluster.Description}.", said, $"{cluster.Kubectl.ClusterLine("get namespaces")}   lists them; name it with --staging-namespace or --production-namespace"),
            ApiFailureKind.NotFound => ($"What was asked for is not there: {act}.", $"{said} ({where})", $"{cluster.Kubectl.Line($"get {act.Resource.Split('/')[0]}")}   lists what is there"),
            ApiFailureKind.Conflict => ($"The API did not {act}: it is there already, or somebody changed it meanwhile.", said, "repeat the command"),
            ApiFailureKind.Invalid => ($"The API refuses what was sent to {act}.", Fields(answer!), $"correct the job file (--migration-job) or the parameter that it names; {cluster.Kubectl.Line("apply --dry-run=server -f FILE")}   shows the same"),
            _ => ($"The Kubernetes API at {cluster.Server} failed to {act}.", said.Length > 0 ? said : failure.Message, "repeat the command; if it stays so, the cluster's administrator has the API server's log"),
        };
        return new KubernetesApiException(kind, what, why, next, failure);
    }

    /// <summary>What to ask the cluster's administrator for: in the administrator's own context, which is not ours.</summary>
    internal static string Grant(KubernetesCluster cluster, ApiAct act) =>
        $"ask the cluster's administrator:  kubectl create role aragora-migration --verb={act.Verb} --resource={act.Resource} -n {cluster.Namespace}   (and a rolebinding to you);  {cluster.Kubectl.Line($"auth can-i {act.Verb} {act.Resource}")}   must say yes";

    private static string Fields(Answer answer)
    {
        var fields = answer.Status?.Details?.Causes?.Where(cause => !string.IsNullOrEmpty(cause.Field)).Select(cause => $"{cause.Field}: {cause.Message}").ToList() ?? [];
        return fields.Count > 0 ? string.Join("; ", fields) : answer.Message;
    }

    private static string Network(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }: return "its host name is unknown";
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }: return "nothing listens there";
                case SocketException socket: return socket.Message;
                case AuthenticationException tls: return $"TLS failed: {tls.Message}";
                case OperationCanceledException or TimeoutException: return "it did not answer in time";
            }
        }

        return failure.Message;
    }

    private static Answer? Answered(Exception failure)
    {
        switch (failure)
        {
            case StreamRefusedException refused:
                return new Answer(refused.Status, "", null);
            case HttpOperationException { Response: { } response }:
                var status = Read(response.Content);
                return new Answer(response.StatusCode, status?.Message ?? response.Content?.Trim().Split('\n')[0] ?? "", status);
            default:
                return null;
        }
    }

    private static V1Status? Read(string? content)
    {
        try
        {
            return string.IsNullOrWhiteSpace(content) ? null : KubernetesJson.Deserialize<V1Status>(content);
        }
        catch (JsonException)
        {
            // A proxy's page, not the API's answer.
            return null;
        }
    }

    private sealed record Answer(HttpStatusCode Code, string Message, V1Status? Status);
}
