using System.Xml;
using System.Xml.Linq;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Verification;

/// <summary>pytest's results on disk: it writes the values of failed assertions, a password among them.</summary>
internal static class JUnitFile
{
    /// <summary>
    /// Masks the file, and what cannot be masked is deleted. Values and texts are masked, not the markup: a password may be called <c>test</c>. What is no XML is masked as a whole.
    /// </summary>
    /// <returns>The masked text; null where there is no file.</returns>
    public static string? Clean(string path, SecretMask secrets)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var text = Masked(File.ReadAllText(path), secrets);
            File.WriteAllText(path, text);
            return text;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static string Masked(string xml, SecretMask secrets)
    {
        XDocument document;
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            document = XDocument.Load(reader, LoadOptions.PreserveWhitespace);
        }
        catch (XmlException)
        {
            // Cut off, or never XML: nobody counts tests in it, and people may still want to read it.
            return secrets.Apply(xml);
        }

        foreach (var attribute in document.Descendants().Attributes().Where(attribute => !attribute.IsNamespaceDeclaration))
        {
            attribute.Value = secrets.Apply(attribute.Value);
        }

        foreach (var text in document.DescendantNodes().OfType<XText>())
        {
            text.Value = secrets.Apply(text.Value);
        }

        foreach (var comment in document.DescendantNodes().OfType<XComment>())
        {
            comment.Value = secrets.Apply(comment.Value);
        }

        return document.Declaration + document.ToString(SaveOptions.DisableFormatting);
    }
}
