using System.Globalization;
using System.Text;
using CsCheck;

namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

internal enum Family
{
    Other,
    Text,
    Number,
    Time,
    Enum,
}

/// <summary>A column's type, and what may stand in it.</summary>
/// <param name="Name">As SQL spells it.</param>
/// <param name="Family">What expressions over it look like.</param>
/// <param name="Literal">A random value, as a SQL expression.</param>
/// <param name="Sorts">Whether a btree takes it.</param>
internal sealed record RandomType(string Name, Family Family, Func<Dice, string> Literal, bool Sorts = true)
{
    private static readonly string[] Odd =
        ["", " ", "NULL", "\\N", "\\.", "a\tb", "line\nbreak", "cr\r\n", "\u0001\u001b", "ä", "a\u0308", "\u200fעברית", "日本語", "😀👩‍👩‍👧", "'quoted\"", "back\\slash", "{a,b}", "(x,y)", "Straße", "İı", "\uffff", "--", "$$", "%s%n"];

    private static readonly Gen<string> AnyText = Gen.Char.Array[0, 20].Select(letters => new string([.. letters.Where(letter => letter != '\0' && !char.IsSurrogate(letter))]));

    /// <summary>Built-in types of every kind.</summary>
    public static IReadOnlyList<RandomType> BuiltIn { get; } =
    [
        new("smallint", Family.Number, dice => Quote(dice.Between(short.MinValue, short.MaxValue))),
        new("integer", Family.Number, dice => Quote(dice.Pick(dice.Between(-5, 5), dice.Draw(Gen.Int)))),
        new("bigint", Family.Number, dice => Quote(dice.Pick(dice.Draw(Gen.Long), long.MaxValue, long.MinValue, 4294967297L * dice.Between(0, 3)))),
        new("numeric", Family.Number, dice => Quote(dice.Pick("NaN", "Infinity", "-Infinity", "0.00", "1.0", "1.10", "-0.0001", "1e-40", "123456789012345678901234567890.123456789", $"{dice.Between(-99, 99)}.{dice.Between(0, 999)}"))),
        new("numeric(12,4)", Family.Number, dice => Quote($"{dice.Between(-9999, 9999)}.{dice.Between(0, 9999)}")),
        new("real", Family.Number, dice => Quote(dice.Pick("NaN", "Infinity", "-Infinity", "-0", "0.1", dice.Draw(Gen.Float[-1e9f, 1e9f]).ToString("R", CultureInfo.InvariantCulture)))),
        new("double precision", Family.Number, dice => Quote(dice.Pick("NaN", "Infinity", "-Infinity", "-0", "0", "5e-324", "0.30000000000000004", dice.Draw(Gen.Double[-1e300, 1e300]).ToString("R", CultureInfo.InvariantCulture)))),
        new("money", Family.Other, dice => $"({dice.Between(-100000, 100000)}.5)::numeric::money"),
        new("boolean", Family.Other, dice => Quote(dice.Chance(50))),
        new("\"char\"", Family.Other, dice => Quote(dice.Pick("a", "", "z"))),
        new("char(5)", Family.Text, dice => Quote(dice.Pick("", "a", "ab ", "abcde", "ü"))),
        new("varchar(40)", Family.Text, Text),
        new("varchar", Family.Text, Text),
        new("text", Family.Text, Text),
        new("name", Family.Other, dice => Quote(dice.Pick("n", "some name"))),
        new("bytea", Family.Other, dice => Quote("\\x" + Convert.ToHexString(dice.Draw(Gen.Byte.Array[0, 40])))),
        new("date", Family.Time, dice => Quote(dice.Pick("infinity", "-infinity", "0044-03-15 BC", "5874897-12-31", "2024-02-29", $"{dice.Between(1900, 2100)}-{dice.Between(1, 12)}-{dice.Between(1, 28)}"))),
        new("timestamp", Family.Time, dice => Quote(dice.Pick("infinity", "-infinity", "0001-01-01 BC", "2024-02-29 23:59:59.999999", $"2024-01-{dice.Between(1, 31)} 12:00:00.{dice.Between(0, 999999):000000}"))),
        new("timestamp(3) with time zone", Family.Time, dice => Quote(dice.Pick("infinity", "-infinity", "2024-03-31 02:30 Europe/Berlin", $"2024-10-{dice.Between(1, 31)} 01:30:00.{dice.Between(0, 999999):000000}+{dice.Between(0, 12):00}"))),
        new("time", Family.Other, dice => Quote(dice.Pick("24:00:00", "00:00", $"12:34:{dice.Between(0, 59)}.{dice.Between(0, 999999):000000}"))),
        new("timetz", Family.Other, dice => Quote(dice.Pick("24:00:00+00", $"12:34:56+{dice.Between(0, 13)}:30"))),
        new("interval", Family.Other, dice => Quote(dice.Pick("1 day", "24 hours", "30 days", "1 month", "-1 year 2 mons -3 days 04:05:06.7", $"{dice.Between(-500, 500)} seconds"))),
        new("uuid", Family.Other, dice => Quote(dice.Draw(Gen.Guid))),
        new("json", Family.Other, Json, Sorts: false),
        new("jsonb", Family.Other, Json),
        new("xml", Family.Other, dice => Quote(dice.Pick("<a>ü</a>", "text", "<a b=\"c\"/><d/>")), Sorts: false),
        new("inet", Family.Other, dice => Quote(dice.Pick("10.0.0.1/8", "::1", "fe80::1/64", $"192.168.0.{dice.Between(0, 255)}"))),
        new("cidr", Family.Other, dice => Quote(dice.Pick("10.0.0.0/8", "::/0", $"192.168.{dice.Between(0, 255)}.0/24"))),
        new("macaddr", Family.Other, dice => Quote($"08:00:2b:01:02:{dice.Between(0, 255):x2}")),
        new("macaddr8", Family.Other, dice => Quote($"08:00:2b:01:02:03:04:{dice.Between(0, 255):x2}")),
        new("bit(8)", Family.Other, dice => $"B'{Bits(dice, 8)}'"),
        new("varbit", Family.Other, dice => $"B'{Bits(dice, dice.Between(0, 20))}'"),
        new("point", Family.Other, dice => Quote($"({Coordinate(dice)},{Coordinate(dice)})"), Sorts: false),
        new("line", Family.Other, dice => Quote($"{{1,{dice.Between(-9, 9)},0.1}}"), Sorts: false),
        new("lseg", Family.Other, dice => Quote($"[(0,-0),({dice.Between(-9, 9)},0.1)]"), Sorts: false),
        new("box", Family.Other, dice => Quote($"(0,0),({dice.Between(-9, 9)},0.1)"), Sorts: false),
        new("path", Family.Other, dice => Quote(dice.Pick("[(0,0),(1,2)]", "((0,0),(1,2))")), Sorts: false),
        new("polygon", Family.Other, dice => Quote($"((0,0),(1,2),({dice.Between(-9, 9)},3))"), Sorts: false),
        new("circle", Family.Other, dice => Quote($"<({dice.Between(-9, 9)},0.1),2>"), Sorts: false),
        new("tsvector", Family.Other, dice => Quote(dice.Pick("fat:2A cats:1", "'odd '' word':3", ""))),
        new("tsquery", Family.Other, dice => Quote(dice.Pick("fat & !cat", "a <-> b", "x:*"))),
        new("oid", Family.Other, dice => Quote(dice.Draw(Gen.UInt))),
        new("regclass", Family.Other, dice => Quote(dice.Pick("pg_catalog.pg_class", "pg_catalog.pg_type", "-"))),
        new("regtype", Family.Other, dice => Quote(dice.Pick("integer", "timestamp with time zone", "text[]"))),
        new("regprocedure", Family.Other, dice => Quote(dice.Pick("pg_catalog.lower(text)", "pg_catalog.abs(integer)"))),
        new("pg_lsn", Family.Other, dice => Quote($"{dice.Between(0, 9)}/{dice.Between(0, 99999):X}")),
        new("jsonpath", Family.Other, dice => Quote(dice.Pick("$.a[*] ? (@ > 1)", "strict $.\"odd key\"")), Sorts: false),
        new("pg_snapshot", Family.Other, dice => Quote($"10:20:{dice.Between(10, 19)}"), Sorts: false),
        new("int4range", Family.Other, dice => Quote(dice.Pick("empty", "(,)", $"[{dice.Between(-9, 0)},{dice.Between(1, 9)}]"))),
        new("numrange", Family.Other, dice => Quote(dice.Pick("empty", "[1.0,1.00]", $"({dice.Between(-9, 0)}.10,{dice.Between(1, 9)}.0)"))),
        new("tstzrange", Family.Other, dice => Quote(dice.Pick("[2024-01-01 00:00+00,infinity)", "(,2024-03-31 02:30+02]"))),
        new("daterange", Family.Other, dice => Quote($"[2024-01-{dice.Between(1, 15)},2024-01-{dice.Between(16, 31)}]")),
        new("int8multirange", Family.Other, dice => Quote(dice.Pick("{}", "{[1,3),[5,9]}", $"{{({dice.Between(-9, 0)},)}}"))),
        new("datemultirange", Family.Other, dice => Quote("{[2024-01-01,2024-01-05),[2024-02-01,)}")),
    ];

    public RandomType Array() => new(Name + "[]", Family.Other, dice => ArrayOf(dice, Name + "[]", this), Sorts);

    /// <summary>A value, cast: it may stand anywhere.</summary>
    public string Value(Dice dice) => $"({Literal(dice)})::{Name}";

    public static string Quote(object value) => "'" + Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static string ArrayOf(Dice dice, string name, RandomType element) => dice.Between(1, 6) switch
    {
        1 => $"'{{}}'::{name}",
        2 => $"ARRAY[[{element.Value(dice)}, NULL], [{element.Value(dice)}, {element.Value(dice)}]]::{name}",
        3 => $"ARRAY[NULL]::{name}",
        _ => $"ARRAY[{string.Join(", ", Enumerable.Range(0, dice.Between(1, 4)).Select(_ => element.Value(dice)))}]::{name}",
    };

    private static string Text(Dice dice) => dice.Between(1, 12) switch
    {
        1 => Quote(new string(dice.Pick('x', 'ü', ' '), 39)),
        2 or 3 => Quote(dice.Draw(AnyText)),
        4 or 5 => Quote(dice.Pick("new", "done", "a", "b")),
        _ => Quote(dice.Pick<string>(Odd)),
    };

    private static string Json(Dice dice) => Quote(dice.Pick(
        "null", "{}", "[]", "\"\\u00e4\"", "{\"a\" : 1.0, \"a\": 2}", "{\"b\":[1, 1.00, 1e2],  \"c\":{\"d\":null}}", $"{{\"n\": {dice.Between(-999, 999)}}}", new StringBuilder("[").Insert(1, "1, ", dice.Between(1, 900)).Append("0]").ToString()));

    private static string Bits(Dice dice, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => dice.Chance(50) ? '1' : '0'));

    private static string Coordinate(Dice dice) => dice.Pick("0.1", "-0", "1e-300", "Infinity", dice.Between(-99, 99).ToString(CultureInfo.InvariantCulture));
}
