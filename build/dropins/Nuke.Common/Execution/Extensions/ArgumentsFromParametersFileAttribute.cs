using System.Reflection;
using System.Text.Json;
using Nuke.Common.IO;
using Nuke.Common.Utilities;
using Nuke.Common.ValueInjection;
using static Nuke.Common.Constants;

namespace Nuke.Common.Execution;

/// <summary>Values from <c>.nuke/parameters.json</c> and, before it, from the named profiles (the last one first). Names are case-sensitive there.</summary>
public class ArgumentsFromParametersFileAttribute : BuildExtensionAttributeBase, IOnBuildCreated
{
    private List<(string Profile, AbsolutePath File)> _files;
    private Dictionary<string, Dictionary<string, JsonElement>> _contents;

    /// <inheritdoc />
    public void OnBuildCreated(IReadOnlyCollection<ExecutableTarget> executableTargets)
    {
        var defaults = GetParametersFile(Build.RootDirectory, DefaultProfileName);
        _files = [.. Build.LoadedLocalProfiles.Select(x => (x, GetParametersFile(Build.RootDirectory, x))).Reverse()];
        if (defaults.FileExists())
            _files.Add((DefaultProfileName, defaults));
        if (_files.Count > 0)
            ParameterService.Instance.ArgumentsFromFilesService = Find;
    }

    private object Find(string name, Type destinationType)
    {
        _contents ??= _files.DistinctBy(x => x.Profile).ToDictionary(x => x.Profile, x => Read(x.File), StringComparer.Ordinal);
        foreach (var (profile, file) in _files)
        {
            if (!_contents[profile].TryGetValue(name, out var value))
                continue;

            var member = ValueInjectionUtility.GetParameterMembers(Build.GetType(), includeUnlisted: true)
                .Find(x => ParameterService.GetParameterMemberName(x).Equals(name, StringComparison.OrdinalIgnoreCase));
            return member is null ? JsonConversion.Convert(value, destinationType) : Convert(member, value, destinationType, file);
        }

        return null;
    }

    private object Convert(MemberInfo member, JsonElement value, Type destinationType, AbsolutePath file)
    {
        // A secret that the package would decrypt, or could not read: passing over it would run the build without it.
        if (member.IsDefined(typeof(SecretAttribute), inherit: true) && value.ValueKind != JsonValueKind.Null)
        {
            var name = ParameterService.GetParameterMemberName(member);
            var kind = value.ValueKind == JsonValueKind.String && value.GetString().StartsWith("v1:", StringComparison.Ordinal) ? "an encrypted" : "a plain";
            throw new RefusedParameterException(
                $"Secret '{name}' has {kind} value in '{file}', which this build of NUKE cannot use."
                + $" Remove it there, and give it in the environment instead, as {NameUtility.ToDashed(name).Replace('-', '_').ToUpperInvariant()}.");
        }

        if (MemberUtility.ScalarOf(MemberUtility.TypeOf(member)) != typeof(AbsolutePath))
            return JsonConversion.Convert(value, destinationType);

        // Relative to the root here, not to the current directory.
        var path = (string)JsonConversion.Convert(value, typeof(string));
        return path is null || PathConstruction.HasPathRoot(path) ? (AbsolutePath)path : Build.RootDirectory / path;
    }

    private static Dictionary<string, JsonElement> Read(AbsolutePath file)
    {
        Assert.FileExists(file);
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(file),
                new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
                values[property.Name] = property.Value.Clone();
            return values;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Assert.Fail($"'{file}' is not a JSON object: {exception.Message}", exception);
            return null;
        }
    }
}
