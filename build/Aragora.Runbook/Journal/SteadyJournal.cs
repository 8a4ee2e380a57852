namespace Aragora.Runbook.Journal;

/// <summary>The journal as an exchange of databases, and the application around it, need it: no act without its intent, but what an act has done counts also where its outcome can no longer be written (a full disk).</summary>
/// <param name="run">Its journal and log.</param>
internal sealed class SteadyJournal(RunContext run)
{
    /// <summary>Writes the intent, acts, and writes the outcome where that is possible.</summary>
    public async Task<T> ActAsync<T>(string act, object details, Func<Task<T>> work)
    {
        var ended = new TaskCompletionSource<Task<T>>();
        try
        {
            return await run.Journal.ActAsync(act, details, () =>
            {
                var working = StartAsync(work);
                ended.SetResult(working);
                return working;
            });
        }
        catch (Exception unwritable) when (ended.Task.IsCompleted && IsUnwritable(unwritable))
        {
            // Its own result or failure; where it failed with this very exception, that one again.
            var working = await ended.Task;
            if (working.IsCompletedSuccessfully || working.Exception?.InnerException != unwritable)
            {
                run.Log.Error(unwritable, "The journal cannot be written: the outcome of \"{Act:l}\" is missing there", act);
            }

            return await working;
        }
    }

    /// <summary>Acts also where not even the intent can be written: for what puts back what was there, which must not wait for a disk.</summary>
    public async Task<T> ActAnywayAsync<T>(string act, object details, Func<Task<T>> work)
    {
        var isBegun = false;
        try
        {
            return await ActAsync(act, details, () =>
            {
                isBegun = true;
                return work();
            });
        }
        catch (Exception unwritable) when (!isBegun && IsUnwritable(unwritable))
        {
            run.Log.Error(unwritable, "The journal cannot be written: \"{Act:l}\" is done, and is missing there", act);
            return await work();
        }
    }

    /// <summary>Writes down what was done already, where that is possible: what opens a database must not wait for a disk.</summary>
    public async Task RememberAsync(string act, object details)
    {
        try
        {
            await run.Journal.ActAsync(act, details, () => Task.FromResult(details));
        }
        catch (Exception unwritable) when (IsUnwritable(unwritable))
        {
            run.Log.Error(unwritable, "The journal cannot be written: \"{Act:l}\" was done, and is missing there", act);
        }
    }

    /// <summary>Writes a note, where that is possible.</summary>
    public void Note(string act, object details)
    {
        try
        {
            run.Journal.Note(act, details);
        }
        catch (Exception unwritable) when (IsUnwritable(unwritable))
        {
            run.Log.Error(unwritable, "The journal cannot be written: the note \"{Act:l}\" is missing there", act);
        }
    }

    /// <summary>A failure before the first await is the act's own as well.</summary>
    private static async Task<T> StartAsync<T>(Func<Task<T>> work) => await work();

    private static bool IsUnwritable(Exception failure) => failure is IOException or UnauthorizedAccessException or ObjectDisposedException;
}
