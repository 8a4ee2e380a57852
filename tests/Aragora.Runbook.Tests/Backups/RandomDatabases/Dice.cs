using CsCheck;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>All the randomness of one database: the same seed throws the same.</summary>
internal sealed class Dice(ulong seed)
{
    private static readonly Gen<string> Word = Gen.Char["abcxyzäßñ列😀"[..7]].Array[1, 6].Select(letters => new string(letters));
    private readonly PCG pcg = new(7, seed);
    private int named;

    public T Draw<T>(Gen<T> of) => of.Generate(pcg, null, out _);

    public int Between(int least, int most) => Draw(Gen.Int[least, most]);

    public bool Chance(int percent) => Between(1, 100) <= percent;

    public T Pick<T>(params IReadOnlyList<T> from) => from[Between(0, from.Count - 1)];

    /// <summary>Some of them, in their order, at least one where there is one.</summary>
    public IReadOnlyList<T> Some<T>(IReadOnlyList<T> from, int most)
    {
        var start = from.Count == 0 ? 0 : Between(0, from.Count - 1);
        return [.. from.Skip(start).Take(Between(1, most))];
    }

    /// <summary>A name that nothing else bears, quoted; now and then one that people would rather not meet.</summary>
    public string Name(string plain)
    {
        named++;
        var number = named.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var name = Between(1, 14) switch
        {
            1 => $"{plain} {number}",
            2 => $"{plain}\"{number}\"",
            3 => $"{plain}\nof two lines {number}",
            4 => $"Ünïcode 列😀 {plain}{number}",
            5 => (plain + number).PadRight(63, 'x'),
            6 => $"{plain}'s \\ $1 %I {number}",
            7 => $"{number}.{plain}",
            8 => $"select_{Draw(Word)}{number}",
            9 => $"MiXed{plain}{number}",
            10 => $"-- {plain} /* {number} ",
            _ => $"{plain}_{number}",
        };
        return "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }
}
