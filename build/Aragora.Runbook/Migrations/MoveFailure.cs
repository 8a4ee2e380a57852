using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Turns a move that did not succeed into what a person reads: what happened, where the database stands, what to type.</summary>
/// <remarks>
/// Unchanged (no revision moved, the catalogue as before, nobody at work, no rows that may have been committed on the way): <see cref="FailedCleanException"/>.
/// Anything else, also an Alembic that failed although the database is at the target: <see cref="NeedsPersonException"/>. Running the command again is always safe: it goes on from where the database stands.
/// </remarks>
internal static class MoveFailure
{
    /// <summary>The exception to throw.</summary>
    public static Exception Explain(MoveStory story, MoveState state)
    {
        var failed = Failed(story, state);
        var failure = story.Output.Failure();
        var rowsMayRemain = RowsMayRemain(story, failed);
        var revisionMoved = RevisionMoved(story, state);
        var unchanged = IsUnchanged(story, state);
        var stands = Stands(story, state, revisionMoved, unchanged, rowsMayRemain, failed);

        if (story.Ended is OperationCanceledException)
        {
            var what = story.LeaseLost && !story.Cancelled
                ? $"{story.Act} was ended because the session that guards it was lost."
                : $"{story.Act} was cancelled.";
            if (unchanged && story.Cancelled)
            {
                return new OperationCanceledException($"{what} {stands}");
            }

            return Make(unchanged, what, stands, Next(story, state, failure));
        }

        if (story.Ended is RunbookException broken)
        {
            return Make(unchanged, $"{story.Act}: {broken.What}", $"{broken.Why}. {stands}", broken.Next);
        }

        if (story.Result is { ExitCode: 0 })
        {
            return new NeedsPersonException(
                $"{story.Act}: Alembic reported success, but the {story.Environment.DisplayName} database is not at {story.Target.Revision}.",
                $"{stands}{(unchanged ? $" Its env.py may read another URL than {story.Environment.Database}, and may have migrated that database" : "")}",
                "look at where env.py takes its URL from, and which environment variables get it; then ./build.sh Status");
        }

        var title = failed is null ? $"{story.Act} failed." : $"{story.Act} failed in {failed}.";
        return Make(unchanged, title, $"{Cause(story, state, failure)}. {stands}", Next(story, state, failure));
    }

    /// <summary>Whether the database is as it was: what <see cref="FailedCleanException"/> promises.</summary>
    public static bool IsUnchanged(MoveStory story, MoveState state) =>
        !RevisionMoved(story, state)
        && (state.After.RevisionStamp ?? "") == (story.Before.RevisionStamp ?? "")
        && state.Changes.None
        && state.AtWork.Count == 0
        && story.Ended is not NeedsPersonException // The runner knows of something that may still be at work elsewhere.
        && !RowsMayRemain(story, Failed(story, state));

    private static bool RevisionMoved(MoveStory story, MoveState state) => !state.After.Revisions.SequenceEqual(story.Before.Revisions, StringComparer.Ordinal);

    private static bool RowsMayRemain(MoveStory story, Revision? failed) =>
        failed is not null && (story.Target.Direction == MigrationDirection.Upgrade ? failed.UpgradeCommitsRows : failed.DowngradeCommitsRows);

    private static Revision? Failed(MoveStory story, MoveState state) =>
        story.Output.AtWork is { } named && story.Tree.Find(named) is { } atWork && !state.Done.Contains(atWork)
            ? atWork
            : story.Target.Steps.FirstOrDefault(step => !state.Done.Contains(step));

    private static RunbookException Make(bool unchanged, string what, string why, string next) =>
        unchanged ? new FailedCleanException(what, why, next) : new NeedsPersonException(what, why, next);

    private static string Cause(MoveStory story, MoveState state, AlembicFailure failure)
    {
        var budget = story.Request.Budget;
        var blocker = state.Blockers.Count > 0
            ? $"still blocked by {string.Join(", ", state.Blockers)}"
            : state.BlockersSeen.Count > 0 ? $"it was blocked by {string.Join(", ", state.BlockersSeen)}, which is gone by now" : "who blocked it was not seen";
        return failure.Kind switch
        {
            AlembicFailureKind.LockTimeout => $"it did not get a lock within {budget.LockTimeout.TotalSeconds:0.###} s (55P03); {blocker}",
            AlembicFailureKind.Deadlock => $"a deadlock with another session, and PostgreSQL ended this one (40P01); {blocker}: {failure.Line}",
            AlembicFailureKind.StatementCancelled when budget.StatementTimeout > TimeSpan.Zero => $"a statement was cancelled: by statement_timeout ({budget.StatementTimeout.TotalSeconds:0.###} s), or by somebody: {failure.Line}",
            AlembicFailureKind.StatementCancelled => $"somebody cancelled its statement (pg_cancel_backend): {failure.Line}",
            AlembicFailureKind.IdleInTransactionTimeout => $"it did nothing within a transaction for {budget.IdleInTransactionTimeout.TotalSeconds:0.###} s, and the server ended its session (25P03)",
            AlembicFailureKind.MissingGrant => $"role \"{story.Environment.Database.User}\" lacks a grant: {failure.Line}",
            AlembicFailureKind.SessionEnded => $"its session was ended by somebody, or the server went down: {failure.Line}",
            AlembicFailureKind.UrlInterpolation => "its env.py puts the URL into config.set_main_option without doubling the percent signs: write url.replace(\"%\", \"%%\") there",
            _ => failure.Line,
        };
    }

    private static string Stands(MoveStory story, MoveState state, bool revisionMoved, bool unchanged, bool rowsMayRemain, Revision? failed)
    {
        var at = state.After.Revisions.Named();
        var parts = new List<string>();
        if (state.Reached)
        {
            parts.Add($"The database is at {at}, where it was to be");
        }
        else if (revisionMoved)
        {
            parts.Add($"The database is at {at}: {state.Done.Count} of {story.Target.Steps.Count} revisions are committed (it was at {story.Before.Revisions.Named()})");
        }
        else
        {
            parts.Add(unchanged ? $"The database is unchanged, at {at}" : $"No revision was committed: the database is at {at} as before");
        }

        if (!revisionMoved || state.Done.Count < story.Target.Steps.Count)
        {
            AddLeftovers(parts, state, revisionMoved);
            if (rowsMayRemain)
            {
                parts.Add($"{failed!.Id} commits rows as it goes: what it had written stays, and it is to be run again");
            }
        }

        if (state.AtWork.Count > 0)
        {
            parts.Add($"still at work: {string.Join(", ", state.AtWork)}");
        }

        return string.Join(". ", parts) + ".";
    }

    private static void AddLeftovers(List<string> parts, MoveState state, bool revisionMoved)
    {
        if (!revisionMoved && !state.Changes.None)
        {
            // No revision was committed, so whatever is different was done outside of its transaction.
            parts.Add("left behind outside of a transaction: " + string.Join(", ", state.Changes.Added.Concat(state.Changes.Removed.Except(state.Changes.Added, StringComparer.Ordinal).Select(gone => gone + " (gone)"))));
            return;
        }

        var named = state.Changes.InvalidIndexes.Select(index => $"INVALID index {index}").Concat(state.Changes.NotValidConstraints.Select(constraint => $"NOT VALID constraint {constraint}")).ToList();
        if (named.Count > 0)
        {
            parts.Add("new, and to be looked at: " + string.Join(", ", named));
        }
    }

    private static string Next(MoveStory story, MoveState state, AlembicFailure failure)
    {
        var steps = new List<string>();
        if (state.AtWork.Count > 0)
        {
            steps.Add($"SELECT pg_terminate_backend({state.AtWork[0].ProcessId});");
        }

        steps.AddRange(state.Changes.InvalidIndexes.Select(index => $"DROP INDEX CONCURRENTLY {index};"));
        if (failure.Kind == AlembicFailureKind.LockTimeout && state.Blockers.Count > 0)
        {
            steps.Add($"wait for the blocking session, or end it: SELECT pg_terminate_backend({state.Blockers[0].ProcessId});");
        }

        var again = story.Target.Direction == MigrationDirection.Upgrade
            ? $"./build.sh Migrate{story.Environment.Name} --revision {story.Target.Revision}   goes on from there"
            : $"./build.sh Rollback --strategy Downgrade --target-environment {story.Environment.Name} --revision {story.Target.Revision}   goes on from there";
        steps.Add(again);
        if (story.Target.Direction == MigrationDirection.Upgrade && state.Done.Count > 0 && WayBack(story, state) is { } back)
        {
            steps.Add($"./build.sh Rollback --strategy Downgrade --target-environment {story.Environment.Name} --revision {back}   goes back");
        }

        return string.Join(Environment.NewLine + "        ", steps);
    }

    /// <summary>The one revision to which a downgrade undoes what was done, and nothing else; null where there is none, as for a database that stood at two.</summary>
    private static string? WayBack(MoveStory story, MoveState state) => story.Before.Revisions switch
    {
        [] => RevisionTarget.Base,
        [var before] when state.Done.All(step => story.Tree.Ancestors([step.Id]).Contains(before)) => before,
        _ => null,
    };
}
