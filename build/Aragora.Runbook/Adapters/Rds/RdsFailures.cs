using System.Net;
using System.Text.RegularExpressions;
using System.Xml;
using Amazon.Runtime;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Adapters.Rds;

/// <summary>The one place that turns what the SDK throws into messages for people.</summary>
public static partial class RdsFailures
{
    private static readonly HashSet<string> Throttled = new(
        ["Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete"],
        StringComparer.Ordinal);

    /// <summary>Whether this comes from asking RDS.</summary>
    public static bool IsOurs(Exception failure) => failure is AmazonClientException or AmazonServiceException or HttpRequestException or OperationCanceledException or TimeoutException or IOException or XmlException;

    /// <summary>Explains.</summary>
    /// <param name="failure">What the SDK threw.</param>
    /// <param name="action">What was asked, as IAM names it: <c>rds:CreateDBSnapshot</c>.</param>
    /// <param name="resource">Of which instance, cluster or snapshot.</param>
    /// <param name="where">The region and endpoint.</param>
    public static RunbookException Explain(Exception failure, string action, string resource, string where) => failure switch
    {
        AmazonServiceException { ErrorCode: { Length: > 0 } code } service => OfCode(code, service, action, resource, where),
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } service => Failing($"RDS failed at {action} of {resource}.", service, where),
        AmazonServiceException { InnerException: HttpRequestException unreachable } => Unreachable(unreachable, where),
        AmazonServiceException service => Failing($"RDS answered {action} of {resource} with something that is no answer of RDS.", service, where),
        AmazonClientException client when IsAboutRegion(client) => new BadInputException(
            "No AWS region is set.", "neither AWS_REGION, AWS_DEFAULT_REGION nor the profile names one", "export AWS_REGION=eu-central-1   (where the instance is), or name a profile: export AWS_PROFILE=<name>", client),
        AmazonClientException client when client.Message.Contains("is an SSO profile", StringComparison.Ordinal) => new BadInputException(
            "Nobody is logged in with the SSO profile.", "AWS_PROFILE (or the default profile) asks for a login, and there is none that still holds", "aws sso login --profile <name>", client),
        AmazonClientException client => new BadInputException(
            "There are no AWS credentials.",
            LogText.SingleLine(client.Message, 600),
            "export AWS_PROFILE=<name> (and for SSO: aws sso login --profile <name>), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in CI a role by web identity (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE)",
            client),
        XmlException broken => new FailedCleanException($"RDS's answer to {action} of {resource} broke off.", LogText.SingleLine($"{where}: {broken.Message}"), "check the network, and AWS_ENDPOINT_URL if it is set; then repeat the command: what was begun is found and gone on with", broken),
        _ => Unreachable(failure, where),
    };

    /// <summary>Whether it may pass by itself: throttled, RDS itself failing, the network. Who waits for something long may wait on.</summary>
    public static bool IsPassing(RunbookException explained) => explained.InnerException switch
    {
        AmazonServiceException { ErrorCode: { Length: > 0 } code } when Throttled.Contains(code) => true,
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } => true,
        AmazonServiceException { InnerException: HttpRequestException } => true,
        AmazonClientException => false,
        HttpRequestException or OperationCanceledException or TimeoutException or IOException or XmlException => true,
        _ => false,
    };

    /// <summary>Whether what was asked of an instance does not go with how it stands: it is gone, in another state, or the name is taken. Somebody else may have asked for the same before.</summary>
    public static bool IsOvertaken(RunbookException explained) =>
        explained.InnerException is AmazonServiceException { ErrorCode: "DBInstanceNotFound" or "DBInstanceNotFoundFault" or "InvalidDBInstanceState" or "InvalidDBInstanceStateFault" or "DBInstanceAlreadyExists" or "DBInstanceAlreadyExistsFault" };

    /// <summary>Whether the instance is at something else, and can be asked again.</summary>
    public static bool IsBusy(RunbookException explained) => explained.InnerException is AmazonServiceException { ErrorCode: "InvalidDBInstanceState" or "InvalidDBInstanceStateFault" };

    /// <summary>The action that IAM says is missing, and on what; from its own words where it says, else from what was asked.</summary>
    internal static (string Action, string Resource) Denied(string message, string action, string resource) =>
        NotAuthorized().Match(message) is { Success: true } said ? (said.Groups["action"].Value, said.Groups["resource"] is { Success: true, Value: var on } ? on : resource) : (action, resource);

    private static RunbookException OfCode(string code, AmazonServiceException failure, string action, string resource, string where) => code switch
    {
        "ExpiredToken" or "ExpiredTokenException" or "RequestExpired" or "TokenRefreshRequired" => new BadInputException(
            "The AWS session has expired.", LogText.SingleLine(failure.Message), "aws sso login   (or whatever made the session), then repeat the command: what was begun is found and gone on with", failure),
        "InvalidClientTokenId" or "UnrecognizedClientException" or "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "IncompleteSignature" or "MissingAuthenticationToken" or "AuthFailure" => new BadInputException(
            "AWS does not accept the credentials.", $"{code} at {where}", "aws sts get-caller-identity   tells who you are to AWS; then export AWS_PROFILE=<name>", failure),
        "AccessDenied" or "AccessDeniedException" or "UnauthorizedOperation" or "NotAuthorized" or "OptInRequired" => AccessDenied(failure, action, resource),
        "DBInstanceNotFound" or "DBInstanceNotFoundFault" => new BadInputException(
            $"There is no instance {resource}.", $"asked was {where}: another region or account, or the name is another", "aws rds describe-db-instances --query 'DBInstances[].DBInstanceIdentifier'   lists them", failure),
        "DBClusterNotFoundFault" => new BadInputException($"There is no cluster {resource}.", $"asked was {where}", "aws rds describe-db-clusters --query 'DBClusters[].DBClusterIdentifier'   lists them", failure),
        "DBSnapshotNotFound" or "DBClusterSnapshotNotFoundFault" => new BadInputException($"There is no snapshot {resource}.", $"asked was {where}", "./build.sh Status   and aws rds describe-db-snapshots   list them", failure),
        "DBSnapshotAlreadyExists" or "DBClusterSnapshotAlreadyExistsFault" => new RefusedException($"There is a snapshot of that name of {resource} already.", LogText.SingleLine(failure.Message), "repeat the command: another name is chosen", failure),
        "DBInstanceAlreadyExists" => new RefusedException($"There is an instance {resource} already.", LogText.SingleLine(failure.Message), "./build.sh Status   tells what it is; then repeat the command", failure),
        "SnapshotQuotaExceeded" => new RefusedException(
            "The account may have no more manual snapshots.", LogText.SingleLine(failure.Message), "./build.sh PruneSnapshots   lists those of ours that have expired; or ask AWS for a higher quota", failure),
        "InstanceQuotaExceeded" or "StorageQuotaExceeded" or "InsufficientDBInstanceCapacity" => new RefusedException($"RDS has no place for {resource}.", $"{code}: {LogText.SingleLine(failure.Message)}", "ask AWS for a higher quota, or delete an instance that nobody needs; then repeat the command", failure),
        "InvalidDBInstanceState" or "InvalidDBClusterStateFault" or "InvalidDBSnapshotState" or "InvalidDBClusterSnapshotStateFault" => new RefusedException(
            $"{resource} is not in a state for {action}.", LogText.SingleLine(failure.Message), "wait until it is available (./build.sh Status), then repeat the command", failure),
        "KMSKeyNotAccessibleFault" or "KMSKeyNotAccessible" => new RefusedException(
            $"The key that encrypts {resource} cannot be used.", LogText.SingleLine(failure.Message), "let the role use the key (kms:DescribeKey, kms:CreateGrant), and see that the key is enabled", failure),
        _ when Throttled.Contains(code) => new FailedCleanException(
            $"AWS slows this account down: {action} of {resource} was refused five times.", $"{code}: {LogText.SingleLine(failure.Message)}", "wait a minute, then repeat the command: what was begun is found and gone on with", failure),
        _ when failure.StatusCode >= HttpStatusCode.InternalServerError => Failing($"RDS failed at {action} of {resource}.", failure, where),
        _ => new RefusedException($"RDS refused {action} of {resource}.", $"{code}: {LogText.SingleLine(failure.Message)}", "repair what it says, then repeat the command", failure),
    };

    private static RefusedException AccessDenied(AmazonServiceException failure, string action, string resource)
    {
        var (missing, on) = Denied(failure.Message, action, resource);
        return new RefusedException($"AWS does not allow {missing} on {on}.", LogText.SingleLine(failure.Message), $"let the role do {missing}; docs/rds.md has the whole policy", failure);
    }

    private static FailedCleanException Failing(string what, AmazonServiceException failure, string where) =>
        new(what, LogText.SingleLine($"{(int)failure.StatusCode} {failure.ErrorCode} at {where}: {failure.Message} (request {failure.RequestId})"), "https://health.aws.amazon.com tells whether RDS is well; then repeat the command", failure);

    private static BadInputException Unreachable(Exception failure, string where) =>
        new($"RDS cannot be reached at {where}.", LogText.SingleLine(failure is OperationCanceledException ? "no answer in time" : failure.Message), "check the network, the region, and AWS_ENDPOINT_URL if it is set", failure);

    private static bool IsAboutRegion(AmazonClientException failure) => failure.Message.Contains("RegionEndpoint", StringComparison.Ordinal) || failure.Message.Contains("Missing Region", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"not authorized to perform: (?<action>[a-zA-Z0-9-]+:[a-zA-Z0-9]+)(?: on resource: (?<resource>[^\s]+))?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotAuthorized();
}
