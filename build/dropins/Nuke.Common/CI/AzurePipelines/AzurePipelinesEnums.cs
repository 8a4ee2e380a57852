namespace Nuke.Common.CI.AzurePipelines;

/// <summary>The kind of an issue.</summary>
public enum AzurePipelinesIssueType
{
    Warning,
    Error,
}

/// <summary>How the job stands.</summary>
public enum AzurePipelinesJobStatus
{
    Canceled,
    Failed,
    Succeeded,
    SucceededWithIssues,
}

/// <summary>Why the build runs.</summary>
public enum AzurePipelinesBuildReason
{
    Manual,
    IndividualCI,
    BatchedCI,
    Schedule,
    ValidateShelveset,
    CheckInShelveset,
    PullRequest,
    ResourceTrigger,
}

/// <summary>The kind of the repository.</summary>
public enum AzurePipelinesRepositoryType
{
    AzureRepos,
    TfsVersionControl,
    Git,
    GitHub,
    Svn,
    TfsGit,
}

/// <summary>The format of test results.</summary>
public enum AzurePipelinesTestResultsType
{
    JUnit,
    NUnit,
    VSTest,
    XUnit,
    CTest,
}
