using System.Linq.Expressions;
using Nuke.Common.Utilities;

namespace Nuke.Common;

public static partial class EnvironmentInfo
{
    internal static ArgumentParser ArgumentParser { get; set; } = new(Environment.GetCommandLineArgs().Skip(1));

    /// <summary>What the process was called with.</summary>
    public static IReadOnlyCollection<string> CommandLineArguments => ArgumentParser.Arguments;

    /// <summary>Whether the switch was given.</summary>
    public static bool HasArgument(string name) => ArgumentParser.HasArgument(name);

    /// <summary>Whether the switch of the member's name was given.</summary>
    public static bool HasArgument<T>(Expression<Func<T>> expression) => HasArgument(MemberUtility.GetMember(expression).Name);

    /// <summary>The value of a switch, or the default.</summary>
    public static T GetNamedArgument<T>(string parameterName, char? separator = null) =>
        (T)ArgumentParser.GetNamedArgument(parameterName, typeof(T), separator);

    /// <summary>The value of the switch of the member's name, or the default.</summary>
    public static T GetNamedArgument<T>(Expression<Func<T>> expression, char? separator = null) =>
        GetNamedArgument<T>(MemberUtility.GetMember(expression).Name, separator);

    /// <summary>What stands at a position before the first switch; negative ones count from the end.</summary>
    public static T GetPositionalArgument<T>(int position, char? separator = null) =>
        (T)ArgumentParser.GetPositionalArgument(position, typeof(T), separator);

    /// <summary>All that stands before the first switch.</summary>
    public static T[] GetAllPositionalArguments<T>(char? separator = null) =>
        (T[])ArgumentParser.GetAllPositionalArguments(typeof(T[]), separator);
}
