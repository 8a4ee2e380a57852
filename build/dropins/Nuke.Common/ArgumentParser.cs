using Nuke.Common.Utilities;

namespace Nuke.Common;

/// <summary>
/// Reads a command line: what comes before the first switch is positional; a switch takes everything up to the next one.
/// Case and dashes in names do not count; of two equal switches the last one does; switches nobody asks for are ignored.
/// </summary>
internal sealed class ArgumentParser(IEnumerable<string> arguments)
{
    private readonly string[] _arguments = [.. arguments];

    public IReadOnlyList<string> Arguments => _arguments;

    public static bool IsArgument(string value) => value?.StartsWith('-') == true;

    public static string GetArgumentMemberName(string name) => name.Replace("-", string.Empty, StringComparison.Ordinal);

    public bool HasArgument(string argumentName) => IndexOf(argumentName) >= 0;

    public object GetNamedArgument(string argumentName, Type destinationType, char? separator = null)
    {
        var index = IndexOf(argumentName);
        return index < 0
            ? ValueConversion.DefaultOf(destinationType)
            : Convert(argumentName, ValuesFrom(index + 1), destinationType, separator);
    }

    public object GetPositionalArgument(int position, Type destinationType, char? separator = null)
    {
        var values = ValuesFrom(0);
        if (position < 0 && values.Length > 0)
            position = values.Length + position % values.Length;

        return position < 0 || position >= values.Length
            ? null
            : Convert($"$positional[{position}]", [values[position]], destinationType, separator);
    }

    public object GetAllPositionalArguments(Type destinationType, char? separator = null)
    {
        var values = ValuesFrom(0);
        return values.Length == 0
            ? ValueConversion.DefaultOf(destinationType)
            : Convert("$all-positional", values, destinationType, separator);
    }

    private string[] ValuesFrom(int start) => [.. _arguments.Skip(start).TakeWhile(x => !IsArgument(x))];

    private int IndexOf(string argumentName)
    {
        var name = GetArgumentMemberName(argumentName);
        return Array.FindLastIndex(_arguments, x => IsArgument(x) && GetArgumentMemberName(x).Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static object Convert(string name, string[] values, Type destinationType, char? separator)
    {
        if (separator is { } character && values.Any(x => x.Contains(character)))
        {
            Assert.True(values.Length == 1, $"Argument '{name}' with value [ {string.Join(", ", values)} ] cannot be split with separator '{character}'");
            values = values[0].Split(character);
        }

        try
        {
            return ValueConversion.Convert(values, destinationType, booleanDefault: true);
        }
        catch (Exception exception)
        {
            // The other arguments are not shown: one of them may be a secret.
            Assert.Fail($"Resolving argument '{name}' failed.{Environment.NewLine}{exception.Message}");
            return null;
        }
    }
}
