using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Reads what <c>docker compose config</c> prints, of either generation: YAML with every file merged and every variable filled in.</summary>
internal static class ComposeConfig
{
    /// <summary>The services.</summary>
    /// <exception cref="FormatException">It is not what Compose prints.</exception>
    public static IReadOnlyList<ComposeService> Read(string text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException broken)
        {
            throw new FormatException(broken.Message, broken);
        }

        return yaml.Documents is [{ RootNode: YamlMappingNode root }] && Child(root, "services") is YamlMappingNode services
            ? [.. services.Children.Select(service => Service(Text(service.Key), service.Value as YamlMappingNode ?? new YamlMappingNode()))]
            : throw new FormatException("it has no services");
    }

    /// <summary>Words as a shell would split them; Compose does the same with a command that is one string.</summary>
    internal static IReadOnlyList<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, begun) = ('\0', false);
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\\' && quote != '\'' && at + 1 < text.Length)
            {
                word.Append(text[++at]);
                begun = true;
            }
            else if (quote != '\0')
            {
                _ = c == quote ? quote = '\0' : Append(word, c);
            }
            else if (c is '"' or '\'')
            {
                (quote, begun) = (c, true);
            }
            else if (!char.IsWhiteSpace(c))
            {
                Append(word, c);
                begun = true;
            }
            else if (begun)
            {
                words.Add(word.ToString());
                word.Clear();
                begun = false;
            }
        }

        if (begun)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    private static char Append(StringBuilder word, char c)
    {
        word.Append(c);
        return c;
    }

    private static ComposeService Service(string name, YamlMappingNode node) => new(
        name,
        Child(node, "image") is YamlScalarNode { Value: { Length: > 0 } image } ? image : null,
        Child(node, "build") is YamlMappingNode or YamlScalarNode { Value.Length: > 0 },
        Words(Child(node, "command")),
        Words(Child(node, "entrypoint")),
        Variables(Child(node, "environment")),
        Child(node, "depends_on") switch
        {
            YamlMappingNode map => [.. map.Children.Keys.Select(Text)],
            YamlSequenceNode list => [.. list.Children.Select(Text)],
            _ => [],
        });

    private static IReadOnlyList<string>? Words(YamlNode? node) => node switch
    {
        YamlSequenceNode list => [.. list.Children.Select(Text)],
        YamlScalarNode { Value: { Length: > 0 } text } scalar when !IsNull(scalar) => Words(Unescaped(text)),
        _ => null,
    };

    private static Dictionary<string, string> Variables(YamlNode? node)
    {
        IEnumerable<(string Name, string Value)> pairs = node switch
        {
            YamlMappingNode map => map.Children.Where(pair => pair.Value is YamlScalarNode value && !IsNull(value)).Select(pair => (Text(pair.Key), Text(pair.Value))),
            YamlSequenceNode list => list.Children.Select(Text).Where(text => text.Contains('=', StringComparison.Ordinal)).Select(text => (text[..text.IndexOf('=', StringComparison.Ordinal)], text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..])),
            _ => [],
        };
        return pairs.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
    }

    private static bool IsNull(YamlScalarNode node) => node.Style == ScalarStyle.Plain && node.Value is "" or "null" or "~" or null;

    private static YamlNode? Child(YamlMappingNode node, string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;

    private static string Text(YamlNode node) => Unescaped((node as YamlScalarNode)?.Value ?? "");

    /// <summary>A dollar is printed twice, so that the output can be read as a file again.</summary>
    private static string Unescaped(string text) => text.Replace("$$", "$", StringComparison.Ordinal);
}
