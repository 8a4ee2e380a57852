using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Aragora.Runbook.Adapters.Docker;

/// <summary>Tells each line of a log once, though the log is read again from its beginning, and its oldest lines may have been thrown away meanwhile (the engine rotates it).</summary>
/// <remarks>
/// A log that is read again begins at some line of those that were told: at the first one from which on all that was told is how it begins. So the longest end of what was told is looked for that is a
/// beginning of what is read, as Knuth, Morris and Pratt do it: what was told is searched for what is read, and the search rests where no more was read yet. Until it is over, lines are held back.
/// The lines of both streams are one sequence, since the engine keeps them in one order: of a stream that says the same word again and again, or little, its own lines would not tell what is missing.
/// </remarks>
/// <param name="onLine">Gets each line.</param>
internal sealed class LogAlignment(Action<string> onLine)
{
    /// <summary>What is told where nothing of what is read again was told before.</summary>
    public const string Gap = "(the log was rotated while it could not be read: lines may be missing here)";

    /// <summary>The engine keeps a longer line in pieces of 16 kB, and may throw away its first ones alone: then what is read begins with the rest of a line, which stands for that.</summary>
    private const int PieceBytes = 16 * 1024;

    private readonly List<ulong> told = [];
    private readonly Dictionary<ulong, ulong> tails = [];
    private readonly List<ulong> read = [];
    private readonly List<int> borders = [];
    private readonly List<(ulong Hash, string Text)> held = [];
    private bool hasOutput;
    private bool hasErrors;
    private int at;
    private int matched;

    /// <summary>How many lines were told so far.</summary>
    public long Told { get; private set; }

    /// <summary>Whether it is known where what is read goes on from what was told; before, lines are held back.</summary>
    public bool IsAligned { get; private set; } = true;

    /// <summary>The log is read again from its beginning.</summary>
    public void Restart()
    {
        read.Clear();
        borders.Clear();
        held.Clear();
        (at, matched, hasOutput, hasErrors) = (0, 0, false, false);
        IsAligned = told.Count == 0;
    }

    /// <summary>Takes the next line of the log, without its end; tells it, once it is known to be a new one.</summary>
    public void Take(bool isError, ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line).TrimEnd('\r');
        var hash = Hash(isError, line);
        ref var isNotFirst = ref (isError ? ref hasErrors : ref hasOutput);
        var whole = isNotFirst || IsAligned || told.Contains(hash) ? hash : tails.GetValueOrDefault(hash, hash);
        isNotFirst = true;
        for (var from = PieceBytes; from <= line.Length; from += PieceBytes)
        {
            tails[Hash(isError, line[from..])] = whole;
        }

        if (IsAligned)
        {
            Tell(hash, text);
            return;
        }

        Extend(whole);
        held.Add((hash, text));
        Search();
    }

    /// <summary>There is no more to be read: what was held back is settled with what is there.</summary>
    public void Settle()
    {
        while (!IsAligned && matched > 0)
        {
            matched = borders[matched - 1];
            Search();
        }

        if (!IsAligned)
        {
            Align();
        }
    }

    private void Extend(ulong hash)
    {
        var border = borders.Count == 0 ? 0 : borders[^1];
        while (border > 0 && read[border] != hash)
        {
            border = borders[border - 1];
        }

        borders.Add(read.Count > 0 && read[border] == hash ? border + 1 : 0);
        read.Add(hash);
    }

    private void Search()
    {
        while (at < told.Count && matched < read.Count)
        {
            if (told[at] == read[matched])
            {
                (at, matched) = (at + 1, matched + 1);
            }
            else if (matched > 0)
            {
                matched = borders[matched - 1];
            }
            else
            {
                at++;
            }
        }

        if (at == told.Count)
        {
            Align();
        }
    }

    /// <summary>What was told before the beginning of the log will not be read again.</summary>
    private void Align()
    {
        IsAligned = true;
        told.RemoveRange(0, told.Count - matched);
        if (matched == 0)
        {
            onLine(Gap);
        }

        for (var i = matched; i < held.Count; i++)
        {
            Tell(held[i].Hash, held[i].Text);
        }

        held.Clear();
    }

    private void Tell(ulong hash, string text)
    {
        told.Add(hash);
        Told++;
        onLine(text);
    }

    /// <summary>63 bits of content, and one for the stream.</summary>
    private static ulong Hash(bool isError, ReadOnlySpan<byte> line)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(line, digest);
        return (BinaryPrimitives.ReadUInt64LittleEndian(digest) & ~1UL) | (isError ? 1UL : 0UL);
    }
}
