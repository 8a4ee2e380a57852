using System.Text.Json;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Contacts;

/// <summary>Whom to call.</summary>
/// <param name="Role">What they answer for, such as "DBA On-Call".</param>
/// <param name="Address">Mail, channel, telephone.</param>
public sealed record Contact(string Role, string Address);

/// <summary>The people of the runbook's last page.</summary>
/// <param name="All">In the order to call them.</param>
public sealed record EmergencyContacts(IReadOnlyList<Contact> All)
{
    /// <summary>The runbook's own table.</summary>
    public static EmergencyContacts Default { get; } = new(
    [
        new Contact("DBA On-Call", "dba-oncall@company.com"),
        new Contact("Platform Team", "#platform-oncall (Slack)"),
        new Contact("Incident Manager", "incident@company.com"),
    ]);

    /// <summary>Reads the option <c>--contacts</c>: <c>Role=Contact;Role=Contact</c>, or the path of a JSON file.</summary>
    /// <param name="option">The option's value; null or empty gives <see cref="Default"/>.</param>
    /// <param name="root">What a relative path is relative to.</param>
    /// <exception cref="BadInputException">It is neither, or names nobody.</exception>
    public static EmergencyContacts Read(string? option, string root)
    {
        if (string.IsNullOrWhiteSpace(option))
        {
            return Default;
        }

        var path = Path.Combine(root, option);
        return File.Exists(path) ? FromFile(path)
            : option.Contains('=', StringComparison.Ordinal) ? Parse(option)
            : throw Bad("--contacts is neither a list of contacts nor a file.", $"there is no '=' in it, and no file {path}");
    }

    /// <summary>Two columns of plain text.</summary>
    public string ToTable() => TextTable.Render(["Role", "Contact"], [.. All.Select(contact => (IReadOnlyList<string>)[contact.Role, contact.Address])]);

    private static EmergencyContacts Parse(string option) => Checked(
        option.Split([';', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            return equals < 0
                ? throw Bad("--contacts cannot be read.", $"\"{LogText.SingleLine(part, 60)}\" has no '='")
                : new Contact(part[..equals].Trim(), part[(equals + 1)..].Trim());
        }),
        "--contacts");

    private static EmergencyContacts FromFile(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return Checked(Read(document.RootElement, path), path);
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Bad($"The contacts in {path} cannot be read.", unreadable.Message, unreadable);
        }
    }

    private static List<Contact> Read(JsonElement root, string path) => root.ValueKind switch
    {
        JsonValueKind.Object => [.. root.EnumerateObject().Select(member => new Contact(member.Name, Text(member.Value, path)))],
        JsonValueKind.Array => [.. root.EnumerateArray().Select(item => new Contact(Member(item, "role", path), Member(item, "contact", path)))],
        _ => throw Bad($"The contacts in {path} cannot be read.", "it holds neither an object nor a list"),
    };

    private static string Member(JsonElement item, string name, string path)
    {
        if (item.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in item.EnumerateObject().Where(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                return Text(member.Value, path);
            }
        }

        throw Bad($"The contacts in {path} cannot be read.", $"an entry has no \"{name}\"");
    }

    private static string Text(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim() : throw Bad($"The contacts in {path} cannot be read.", $"{LogText.SingleLine(value.GetRawText(), 60)} is not a text");

    private static EmergencyContacts Checked(IEnumerable<Contact> contacts, string source)
    {
        var all = contacts.ToList();
        return all.Count == 0 ? throw Bad($"{source} names nobody.", "at two in the morning somebody has to be called")
            : all.Find(contact => contact.Role.Length == 0 || contact.Address.Length == 0) is { } half ? throw Bad($"{source} has a contact without {(half.Role.Length == 0 ? "role" : "address")}.", $"it says \"{half.Role}={half.Address}\"")
            : new EmergencyContacts(all);
    }

    private static BadInputException Bad(string what, string why, Exception? inner = null) =>
        new(what, why, "give --contacts \"DBA On-Call=dba@example.com;Platform=#platform\", or a JSON file: {\"DBA On-Call\": \"dba@example.com\"}", inner);
}
