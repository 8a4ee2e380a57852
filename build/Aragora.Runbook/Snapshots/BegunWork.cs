using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Snapshots;

/// <summary>From where something of ours stands in AWS, a refusal is no longer one that changed nothing.</summary>
internal static class BegunWork
{
    /// <summary>Works; a refusal or wrong input on the way becomes a failure that says what is left.</summary>
    /// <param name="left">What stands by now, for people.</param>
    /// <param name="work">The work.</param>
    public static async Task<T> GuardAsync<T>(string left, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RunbookException refused) when (refused is RefusedException or BadInputException)
        {
            throw new FailedCleanException(refused.What, $"{refused.Why}; {left}", refused.Next, refused.InnerException ?? refused);
        }
    }
}
