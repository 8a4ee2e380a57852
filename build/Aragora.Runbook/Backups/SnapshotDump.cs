using System.Globalization;
using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;
using Npgsql;

namespace Aragora.Runbook.Backups;

/// <summary>Takes a snapshot of the database, and in it, at the same time, the dump and the content digest; again where a lock was in the way, or a definition was changed meanwhile.</summary>
/// <param name="run">Log, clock, secrets.</param>
/// <param name="environment">The database.</param>
/// <param name="client">pg_dump.</param>
/// <param name="options">Jobs, compression, patience.</param>
/// <param name="commands">Starts pg_dump.</param>
/// <param name="progress">Shows how far it is.</param>
public sealed class SnapshotDump(RunContext run, DatabaseEnvironment environment, PostgresClient client, BackupOptions options, ICommandRunner commands, IProgressView progress)
{
    private readonly DumpStep dumps = new(run, environment, client, options, commands, progress);

    /// <summary>Takes it. Another attempt takes another snapshot: DDL that waits for this one's locks would stop the dump again.</summary>
    /// <exception cref="RefusedException">The role may not read everything.</exception>
    /// <exception cref="FailedCleanException">It failed; the folder is left as it is, for the caller to remove.</exception>
    public async Task<TakenSnapshot> TakeAsync(BackupFolder folder, BackupSource source, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var tables = new DumpProgress(source.Tables, options.Jobs);
            var monitor = new DumpMonitor(run, environment, dumps.ApplicationName, tables);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var watching = monitor.WatchAsync(over.Token);
            try
            {
                return await TakeOnceAsync(folder, tables, cancellation);
            }
            catch (Exception passing) when ((IsLock(passing) || passing is DefinitionsMovedException) && attempt < options.LockAttempts)
            {
                var pause = options.LockRetryPause * (Math.Pow(2, attempt - 1) * (1 + (RandomNumberGenerator.GetInt32(1000) / 1000.0)));
                var why = passing is DefinitionsMovedException ? $"was overtaken by a change of the schema ({passing.Message})" : $"met a lock ({await InTheWayAsync(monitor, cancellation)})";
                run.Log.Warning("The backup {Why:l}; attempt {Next} of {Attempts} follows in {Pause}", why, attempt + 1, options.LockAttempts, ProgressSnapshot.Rough(pause));
                await Task.Delay(pause, run.Clock, cancellation);
                await folder.EmptyAsync(run.Clock);
            }
            catch (DefinitionsMovedException moved)
            {
                throw new FailedCleanException(
                    $"The schema of the {environment.DisplayName} database was changed while it was backed up{Attempts(attempt)}; the unfinished backup was removed.",
                    $"{moved.Message}: nobody could say which definition the dump holds, and it could not be verified",
                    "end what changes it (a deployment, a job), or wait for its end; then ./build.sh Backup",
                    moved);
            }
            catch (Exception failure) when (failure is DumpFailedException || IsLock(failure))
            {
                throw Explain(failure, attempt, IsLock(failure) ? await InTheWayAsync(monitor, cancellation) : "");
            }
            catch (PostgresException answered) when (!IsConnectionLost(answered.SqlState))
            {
                throw new FailedCleanException(
                    $"The backup of the {environment.DisplayName} database failed; what was written was removed.",
                    run.Secrets.Apply($"its content could not be read; the server answered: {answered.MessageText} (SQLSTATE {answered.SqlState})"),
                    "mend what the server names, then ./build.sh Backup",
                    answered);
            }
            catch (Exception lost) when (lost is NpgsqlException or IOException)
            {
                throw new FailedCleanException(
                    $"The backup of the {environment.DisplayName} database failed; what was written was removed.",
                    run.Secrets.Apply($"the connection to {environment.Endpoint} was lost while its content was read: {lost.Message}"),
                    "./build.sh Preflight   tells whether the server is up; then ./build.sh Backup",
                    lost);
            }
            finally
            {
                await over.CancelAsync();
                await watching;
            }
        }
    }

    /// <summary>What fails first ends the other.</summary>
    private async Task<TakenSnapshot> TakeOnceAsync(BackupFolder folder, DumpProgress tables, CancellationToken cancellation)
    {
        await using var snapshot = await SnapshotSession.OpenAsync(environment, new SnapshotOptions { LockWaitTimeout = options.LockWaitTimeout, ApplicationName = dumps.ApplicationName }, cancellation);
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var dumping = dumps.RunAsync(folder, snapshot.SnapshotId, tables, together.Token);
        var digesting = new DigestReader(snapshot).ReadAsync(Math.Max(1, options.Jobs / 2), method: null, together.Token);
        var first = await Task.WhenAny(dumping, digesting);
        if (!first.IsCompletedSuccessfully)
        {
            await together.CancelAsync();
        }

        await Task.WhenAll(dumping, digesting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
        var (dump, digest) = (await dumping, await digesting);
        var sequences = await snapshot.ReadSequencesAsync(cancellation);
        var moved = await MovedDefinitions.FindAsync(snapshot, environment, cancellation);
        return moved.Count == 0
            ? new TakenSnapshot(snapshot.SnapshotId, snapshot.TakenAt, snapshot.WalPosition, dump, digest.WithSequencesAfter(sequences))
            : throw new DefinitionsMovedException(moved);
    }

    private FailedCleanException Explain(Exception failure, int attempt, string inTheWay)
    {
        var attempts = Attempts(attempt);
        var way = inTheWay.Length > 0 ? $"in the way: {inTheWay}\n" : "";
        return failure is DumpFailedException dump
            ? new FailedCleanException(
                run.Secrets.Apply($"pg_dump of the {environment.DisplayName} database failed with exit code {dump.ExitCode}{attempts}; the unfinished backup was removed."),
                run.Secrets.Apply(way + dump.Failure.Why),
                dump.Failure.Next,
                dump)
            : new FailedCleanException(
                $"The tables of the {environment.DisplayName} database could not be locked for the backup{attempts}; nothing was written.",
                run.Secrets.Apply(way + (failure as RunbookException)?.Why),
                "./build.sh Preflight   lists who holds and who waits; end that session or wait for it, then ./build.sh Backup",
                failure);
    }

    private static string Attempts(int attempt) => attempt > 1 ? string.Create(CultureInfo.InvariantCulture, $", also at attempt {attempt}") : "";

    /// <summary>The server went away, or sent us away.</summary>
    private static bool IsConnectionLost(string state) => state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal);

    private static bool IsLock(Exception failure) =>
        failure is DumpFailedException { Failure.Kind: DumpFailureKind.Lock } or FailedCleanException { InnerException: PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } };

    private async Task<string> InTheWayAsync(DumpMonitor monitor, CancellationToken cancellation)
    {
        var sessions = monitor.Seen.Concat(await monitor.ExclusiveLocksAsync(cancellation)).DistinctBy(session => session.Pid).ToList();
        return run.Secrets.Apply(string.Join("; ", sessions));
    }

    /// <summary>Not this snapshot's fault: another one may do.</summary>
    private sealed class DefinitionsMovedException(IReadOnlyList<string> moved)
        : Exception(string.Join("; ", moved.Take(5).Select(LogText.Safe)) + (moved.Count > 5 ? string.Create(CultureInfo.InvariantCulture, $" and {moved.Count - 5} more") : ""));
}

/// <summary>What was taken in one snapshot, which is over.</summary>
/// <param name="SnapshotId">The snapshot, as it was exported.</param>
/// <param name="At">The server's clock when it was taken.</param>
/// <param name="WalPosition">The server's WAL position just after it was taken.</param>
/// <param name="Dump">How the dump went.</param>
/// <param name="Digest">The content digest.</param>
public sealed record TakenSnapshot(string SnapshotId, DateTimeOffset At, string WalPosition, DumpResult Dump, ContentDigest Digest);
