using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Aragora.Runbook.Verification;

/// <summary>A test that did not pass.</summary>
/// <param name="Name">Class and method, as pytest names them.</param>
/// <param name="Message">The first line of what it said.</param>
/// <param name="IsError">Whether it broke outside of the test itself: in collection, a fixture, the teardown.</param>
public sealed record FailedTest(string Name, string Message, bool IsError);

/// <summary>What pytest wrote with <c>--junitxml</c>.</summary>
/// <param name="Passed">Tests that passed.</param>
/// <param name="Failed">Tests that failed.</param>
/// <param name="Errors">Collections, fixtures and teardowns that broke.</param>
/// <param name="Skipped">Tests that were skipped.</param>
/// <param name="NotPassed">The failed and broken ones.</param>
public sealed record JUnitReport(int Passed, int Failed, int Errors, int Skipped, IReadOnlyList<FailedTest> NotPassed)
{
    /// <summary>Reads the file's text. Counts come from the test cases, not from the totals that the file claims.</summary>
    /// <exception cref="XmlException">It is not XML.</exception>
    public static JUnitReport Parse(string xml)
    {
        using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        var cases = XDocument.Load(reader).Descendants("testcase").ToList();
        var failed = cases.Where(test => test.Element("failure") is not null).ToList();
        var broken = cases.Where(test => test.Element("error") is not null).ToList();
        var skipped = cases.Count(test => test.Element("skipped") is not null);
        return new JUnitReport(
            cases.Count(test => !test.Elements().Any(element => element.Name.LocalName is "failure" or "error" or "skipped")),
            failed.Count,
            broken.Count,
            skipped,
            [.. failed.Select(test => Read(test, "failure")), .. broken.Select(test => Read(test, "error"))]);
    }

    private static FailedTest Read(XElement test, string element)
    {
        var name = string.Join("::", new[] { (string?)test.Attribute("classname"), (string?)test.Attribute("name") }.Where(part => !string.IsNullOrEmpty(part)));
        var outcome = test.Element(element)!;
        var message = (string?)outcome.Attribute("message") ?? "";

        // A collection that broke says only so in its message; the cause is pytest's last line of the details that begins with "E".
        if (message is "" or "collection failure" || message.StartsWith("failed on setup", StringComparison.Ordinal))
        {
            message = outcome.Value.Split('\n').LastOrDefault(line => line.StartsWith("E  ", StringComparison.Ordinal))?[1..].Trim() ?? message;
        }

        var firstLine = message.Trim().Split('\n')[0].Trim();
        return new FailedTest(name, firstLine.Length > 0 ? firstLine : string.Create(CultureInfo.InvariantCulture, $"({element} without a message)"), element == "error");
    }
}
