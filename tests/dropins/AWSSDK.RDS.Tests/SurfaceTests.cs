using System.Reflection;
using Shouldly;
using Xunit;

namespace Amazon.RDS.Tests;

/// <summary>The public surface, as text. The drop-in has exactly this; the package has this and more.</summary>
public sealed class SurfaceTests
{
    private static readonly Assembly Subject = typeof(AmazonRDSClient).Assembly;

    private static bool IsDropIn => Subject.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.EndsWith("-dropin", StringComparison.Ordinal) == true;

    [Fact]
    public void Every_name_and_type_is_the_one_that_is_written_down()
    {
        var written = Written();
        var there = Subject.GetExportedTypes().Where(type => type.Namespace is "Amazon.RDS" or "Amazon.RDS.Model").SelectMany(Lines).Order(StringComparer.Ordinal).ToList();
        if (IsDropIn)
        {
            there.ShouldBe(written);
        }
        else
        {
            written.Except(there, StringComparer.Ordinal).ShouldBeEmpty();
        }
    }

    [Fact]
    public void The_assembly_bears_the_packages_name() => Subject.GetName().Name.ShouldBe("AWSSDK.RDS");

    private static List<string> Written()
    {
        using var stream = typeof(SurfaceTests).Assembly.GetManifestResourceStream("surface.txt");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    private static IEnumerable<string> Lines(Type type)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var parent = type.BaseType is { } of && of != typeof(object) ? $" : {Name(of)}" : "";
        yield return $"{type.FullName}{parent}";
        foreach (var property in type.GetProperties(Own))
        {
            yield return $"{type.FullName}.{property.Name} {Name(property.PropertyType)}{(property.SetMethod?.IsPublic == true ? " set" : "")}";
        }

        foreach (var constructor in type.GetConstructors().Where(constructor => constructor.GetParameters().Length > 0))
        {
            yield return $"{type.FullName}({string.Join(", ", constructor.GetParameters().Select(parameter => Name(parameter.ParameterType)))})";
        }

        foreach (var method in type.GetMethods(Own).Where(method => !method.IsSpecialName))
        {
            yield return $"{type.FullName}.{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => Name(parameter.ParameterType) + (parameter.IsOptional ? " =" : "")))}) {Name(method.ReturnType)}";
        }
    }

    private static string Name(Type type) =>
        Nullable.GetUnderlyingType(type) is { } value ? $"{value.Name}?"
        : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;
}
