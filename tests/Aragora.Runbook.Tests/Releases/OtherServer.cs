using Aragora.Runbook.Servers;
using Xunit;

namespace Aragora.Runbook.Tests.Releases;

/// <summary>A real server of another minor version than the installed one, which <c>./build.sh Test</c> has unpacked; there is none where it could not.</summary>
public sealed class OtherServer : RealServer
{
    public const string Variable = "ARAGORA_TEST_OTHER_POSTGRES";

    /// <summary>Skips a test where there is no other minor version.</summary>
    public void Require() => Assert.SkipWhen(Server is null, $"no other minor version of PostgreSQL: {Variable} is not set; ./build.sh Test sets it where the registry has one");

    protected override async Task<ServerBinaries?> FindProgramsAsync() => Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } folder ? null
        : await ServerBinaries.TryReadAsync(folder, Commands, CancellationToken.None) ?? throw new InvalidOperationException($"{Variable} names {folder}, which holds no server programs.");
}
