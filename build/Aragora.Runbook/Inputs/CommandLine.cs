namespace Aragora.Runbook.Inputs;

/// <summary>The command line as NUKE reads it: targets first, then switches, each with the words up to the next switch.</summary>
/// <remarks>One difference: a word such as <c>-1</c> is a value (NUKE takes it for a switch), so that <c>--revision -1</c> means what it says.</remarks>
public sealed class CommandLine
{
    private CommandLine(IReadOnlyList<string> targets, IReadOnlyList<Switch> switches) => (Targets, Switches) = (targets, switches);

    /// <summary>The words before the first switch.</summary>
    public IReadOnlyList<string> Targets { get; }

    /// <summary>The switches in their order.</summary>
    public IReadOnlyList<Switch> Switches { get; }

    /// <summary>Reads the arguments (without the program).</summary>
    public static CommandLine Read(IReadOnlyList<string> arguments)
    {
        var targets = arguments.TakeWhile(word => !IsSwitch(word)).ToList();
        var switches = new List<Switch>();
        for (var i = targets.Count; i < arguments.Count;)
        {
            var values = arguments.Skip(i + 1).TakeWhile(word => !IsSwitch(word)).ToList();
            switches.Add(new Switch(arguments[i], values));
            i += 1 + values.Count;
        }

        return new CommandLine(targets, switches);
    }

    /// <summary>The only value of a switch; null where it was not given.</summary>
    public string? Value(string name) => Find(name) is { Values: [var first, ..] } ? first : null;

    /// <summary>Whether the switch was given.</summary>
    public bool Has(string name) => Find(name) is not null;

    private Switch? Find(string name) =>
        Switches.LastOrDefault(given => string.Equals(ParameterDefinition.Trimmed(given.Text), ParameterDefinition.Trimmed(name), StringComparison.OrdinalIgnoreCase));

    private static bool IsSwitch(string word) => word.StartsWith('-') && !(word.Length > 1 && word[1..].All(char.IsAsciiDigit));

    /// <summary>One switch.</summary>
    /// <param name="Text">As it was typed, with its dashes.</param>
    /// <param name="Values">The words behind it.</param>
    public sealed record Switch(string Text, IReadOnlyList<string> Values);
}
