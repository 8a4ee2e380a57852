namespace Aragora.Runbook.Tests.Backups.RandomDatabases;

/// <summary>Expressions over columns, in the many ways that people write them: the server spells them its own way, and maybe another after a restore.</summary>
internal static class RandomExpressions
{
    /// <summary>A condition over one of the columns; it may be anything, but raises no error.</summary>
    public static string Condition(Dice dice, IReadOnlyList<RandomColumn> columns, int depth = 2)
    {
        if (depth > 0 && dice.Chance(40))
        {
            var (left, right) = (Condition(dice, columns, depth - 1), Condition(dice, columns, depth - 1));
            return dice.Pick($"({left} AND {right})", $"({left} OR {right})", $"NOT ({left})", $"CASE WHEN {left} THEN {right} ELSE false END", $"({left}) IS TRUE", $"({left}) IS NOT UNKNOWN", $"coalesce({left}, {right})");
        }

        var column = dice.Pick(columns);
        var (c, type) = (column.Name, column.Type);
        return (dice.Chance(80) ? type.Family : Family.Other) switch
        {
            Family.Text => dice.Pick(
                $"{c} IN ('new', 'done')", $"{c} NOT IN ('new', 'it''s')", $"{c} IN ('one')", $"{c} = ANY (ARRAY['a', 'b'])", $"{c} = ANY ('{{a,b}}')", $"{c} = ANY (ARRAY['a'::varchar, 'b'])", $"{c} LIKE 'a%'", $"{c} NOT ILIKE '%\\_%'", $"{c} ~ '^[a-z]+$'",
                $"{c} !~* 'x'", $"{c} SIMILAR TO '%(b|d)%'", $"length({c}) > 3", $"lower({c}) = 'x'", $"{c} || 'x' <> 'yx'", $"{c} BETWEEN 'a' AND 'z'", $"{c} = 'a' COLLATE \"C\"", $"substring({c} from 1 for 2) <> 'no'",
                $"position('a' in {c}) >= 0", $"trim(both ' ' from {c}) <> ''", $"overlay({c} placing 'Z' from 1 for 1) <> ''", $"{c}::varchar(3) <> 'abc'", $"{c}::text <> 'q'", $"starts_with({c}, 'a')", $"nullif({c}, '') IS NOT NULL", $"({c}, 1) < ('m', 2)", $"{c} COLLATE \"C\" > 'a'"),
            Family.Number => dice.Pick(
                $"{c} > 0", $"{c} >= -1.5", $"{c} BETWEEN -5 AND 5", $"{c} NOT BETWEEN SYMMETRIC 7 AND -7", $"{c} IN (1, 2, 3)", $"{c} <> ALL ('{{1,2}}')", $"{c}::text <> '7'", $"({c} > 0) IS NOT FALSE", $"greatest({c}, 1) > 0", $"nullif({c}, 0) IS NULL",
                $"{c} = ANY (ARRAY[1, 2])", $"coalesce({c}, 0) < 100", $"{c}::numeric < 1e6", $"sign({c}) <= 1", $"({c}, 1) >= (0, 0)", $"{c} IS DISTINCT FROM 3"),
            Family.Time => dice.Pick(
                $"{c} > '2020-01-01'", $"{c} < 'infinity'", $"{c} BETWEEN '2000-01-01' AND '2030-12-31'", $"{c} IN ('2024-01-01', '2024-02-29')", $"{c} <> '-infinity'", $"isfinite({c})", $"{c} IS NOT NULL AND {c} >= date '1999-12-31'"),
            Family.Enum => dice.Pick($"{c} = {type.Literal(dice)}", $"{c} IN ({type.Literal(dice)}, {type.Literal(dice)})", $"{c} > {type.Literal(dice)}", $"{c} = ANY (ARRAY[{type.Value(dice)}])", $"{c} <> ALL (enum_range(NULL::{type.Name}))"),
            _ => dice.Pick($"{c} IS NULL", $"{c} IS NOT NULL", $"num_nulls({c}) = 0"),
        };
    }

    /// <summary>What always holds, however it reads.</summary>
    public static string Tautology(Dice dice, IReadOnlyList<RandomColumn> columns) => $"({Condition(dice, columns)} OR {dice.Pick("true", "1 = 1", "'x' IN ('x', 'y')")})";

    /// <summary>A value over one column, for expression indexes and generated columns: immutable.</summary>
    public static string Immutable(Dice dice, RandomColumn column) => column.Type.Family switch
    {
        Family.Text => dice.Pick($"lower({column.Name})", $"length({column.Name})", $"({column.Name} IN ('a', 'b'))", $"left({column.Name}, 4)", $"coalesce({column.Name}, 'none')", $"CASE WHEN {column.Name} = 'new' THEN 1 ELSE 2 END", $"md5({column.Name})", $"({column.Name} || '!')"),
        Family.Number => dice.Pick($"({column.Name} > 0)", $"({column.Name}::text)", $"coalesce({column.Name}, 0)", $"CASE WHEN {column.Name} IN (1, 2) THEN 'few'::varchar(9) ELSE 'many' END", $"({column.Name} = ANY (ARRAY[1, 2]))"),
        Family.Time => dice.Pick($"({column.Name} > '2020-01-01')", $"({column.Name} IS NULL)"),
        _ => $"({column.Name} IS NOT NULL)",
    };
}

/// <summary>A column.</summary>
/// <param name="Name">Quoted.</param>
/// <param name="Type">Its type.</param>
/// <param name="NotNull">Whether it takes no null.</param>
/// <param name="Given">Whether an INSERT gives it a value; otherwise it is identity, generated, or left to its default.</param>
internal sealed record RandomColumn(string Name, RandomType Type, bool NotNull, bool Given = true);

/// <summary>A table, with what others need to know of it.</summary>
/// <param name="Name">Qualified and quoted.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Key">The column that others may refer to; null for none.</param>
/// <param name="IsPartitioned">Whether it is the root of partitions.</param>
/// <param name="IsUnlogged">Whether it is unlogged: a logged table may not refer to it.</param>
internal sealed record RandomTable(string Schema, string Name, List<RandomColumn> Columns, RandomColumn? Key, bool IsPartitioned = false, bool IsUnlogged = false);
