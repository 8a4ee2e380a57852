namespace Nuke.Common.Execution;

/// <summary>A target failed; its exception was logged already.</summary>
internal sealed class TargetExecutionException(string targetName, Exception inner) : Exception($"Target '{targetName}' has thrown an exception.", inner);
