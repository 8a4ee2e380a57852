using System.Reflection;
using Nuke.Common.Utilities;

namespace Nuke.Common.Execution;

/// <summary>Asks for what a target requires, where there is somebody to ask.</summary>
internal static class ParameterPrompt
{
    public static void AskUntilGiven(MemberInfo member, INukeBuild build)
    {
        if (member is PropertyInfo { CanWrite: false } || Console.IsInputRedirected || Console.IsOutputRedirected)
            return;

        var question = ParameterService.GetParameterDescription(member) ?? ParameterService.GetParameterMemberName(member);
        var choices = ParameterValueSet.Get(member, build)?.Select(x => x.Text).ToList();
        while (MemberUtility.GetValue(member, build) is null)
        {
            Host.Information(choices is null ? $"{question}:" : $"{question} ({string.Join(", ", choices)}):");
            Console.Write("» ");
            var answer = member.IsDefined(typeof(SecretAttribute), inherit: true) ? ReadSecret() : Console.ReadLine();
            if (answer is null)
                return;

            if (answer.Length > 0)
                MemberUtility.SetValue(member, build, ValueConversion.Convert((object)answer, MemberUtility.TypeOf(member)));
        }
    }

    private static string ReadSecret()
    {
        var secret = string.Empty;
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
            {
                Console.WriteLine();
                return secret;
            }

            if (key.Key == ConsoleKey.Backspace)
                secret = secret.Length > 0 ? secret[..^1] : secret;
            else if (!char.IsControl(key.KeyChar))
                secret += key.KeyChar;
        }
    }
}
