using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities;
using Serilog;

namespace Nuke.Common;

/// <summary>
/// Finds the value of a parameter: the command line, for targets also what comes before the first switch,
/// the environment, then the files of parameters. The first that has one wins.
/// </summary>
internal sealed class ParameterService(Func<ArgumentParser> arguments, Func<IReadOnlyDictionary<string, string>> variables)
{
    internal static ParameterService Instance { get; set; } = new(() => EnvironmentInfo.ArgumentParser, () => EnvironmentInfo.Variables);

    /// <summary>What the files of parameters say; set when the build exists.</summary>
    internal Func<string, Type, object> ArgumentsFromFilesService { get; set; }

    public static T GetParameter<T>(string name, char? separator = null) => (T)Instance.GetParameter(name, typeof(T), separator);

    public static T GetParameter<T>(MemberInfo member, Type destinationType = null) =>
        (T)GetFromMemberInfo(member, destinationType ?? typeof(T), Instance.GetParameter);

    public static T GetNamedArgument<T>(string name, char? separator = null) =>
        (T)Instance.ArgumentsParser.GetNamedArgument(name, typeof(T), separator);

    public static T GetPositionalArgument<T>(int position) => (T)Instance.ArgumentsParser.GetPositionalArgument(position, typeof(T));

    public static string GetParameterMemberName(MemberInfo member)
    {
        var prefix = member.DeclaringType?.GetCustomAttribute<ParameterPrefixAttribute>()?.Prefix;
        return prefix + (member.GetCustomAttribute<ParameterAttribute>().NotNull().Name ?? member.Name);
    }

    public static string GetParameterDashedName(MemberInfo member) => GetParameterDashedName(GetParameterMemberName(member));

    public static string GetParameterDashedName(string name) => NameUtility.ToDashed(name);

    public static string GetParameterDescription(MemberInfo member) =>
        member.GetCustomAttribute<ParameterAttribute>().NotNull().Description?.TrimEnd('.');

    public static object GetFromMemberInfo(MemberInfo member, Type destinationType, Func<string, Type, char?, object> provider)
    {
        var attribute = member.GetCustomAttribute<ParameterAttribute>().NotNull();
        char? separator = string.IsNullOrEmpty(attribute.Separator) ? null : attribute.Separator.Single();
        return provider(GetParameterMemberName(member), destinationType ?? MemberUtility.TypeOf(member), separator);
    }

    public object GetParameter(string name, Type destinationType, char? separator) =>
        (HasCommandLineArgument(name) ? ArgumentsParser.GetNamedArgument(name, destinationType, separator) : null)
        ?? (name == Constants.InvokedTargetsParameterName ? ArgumentsParser.GetAllPositionalArguments(destinationType, separator) : null)
        ?? GetEnvironmentVariable(name, destinationType, separator)
        ?? ArgumentsFromFilesService?.Invoke(name, destinationType);

    public bool HasCommandLineArgument(string name) => ArgumentsParser.HasArgument(name);

    /// <summary>The variable of that name; else the only one of that name, or of it after NUKE, whatever its case and punctuation.</summary>
    public object GetEnvironmentVariable(string name, Type destinationType, char? separator)
    {
        var all = variables();
        if (!all.TryGetValue(name, out var value))
        {
            var named = all.Where(x => NameUtility.SameLettersAndDigits(x.Key, name)).Select(x => x.Value).ToList();
            if (named.Count > 1)
                Log.Warning("Could not resolve {VariableName} since multiple values are provided", name);
            if (named.Count != 1)
                return ValueConversion.DefaultOf(destinationType);

            value = named[0];
        }

        try
        {
            return ValueConversion.Convert(value, destinationType, separator, booleanDefault: false);
        }
        catch (Exception exception)
        {
            Assert.Fail($"{exception.Message}{Environment.NewLine}Resolving parameter '{name}' failed. The value comes from the environment.");
            return null;
        }
    }

    private ArgumentParser ArgumentsParser => arguments();
}
