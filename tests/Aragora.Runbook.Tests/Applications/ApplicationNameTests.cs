using System.ComponentModel;
using Aragora.Runbook.Applications;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

public sealed class ApplicationNameTests
{
    [Theory]
    [InlineData("deployment/api", ApplicationKind.Deployment, "api")]
    [InlineData("statefulset/api.v2-a", ApplicationKind.StatefulSet, "api.v2-a")]
    [InlineData("compose/Aragora_api", ApplicationKind.Compose, "Aragora_api")]
    public void Each_form_is_read_and_written_as_it_was(string text, ApplicationKind kind, string name)
    {
        var read = (ApplicationName)TypeDescriptor.GetConverter(typeof(ApplicationName)).ConvertFromInvariantString(text)!;

        read.ShouldBe(new ApplicationName(kind, name));
        read.ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("api")]
    [InlineData("pod/api")]
    [InlineData("Deployment/api")]
    [InlineData("deployment/")]
    [InlineData("deployment/Api")]
    [InlineData("deployment/a/b")]
    [InlineData("deployment/-api")]
    [InlineData("deployment/api\nx")]
    [InlineData("compose/--rm")]
    [InlineData("compose/a b")]
    public void What_is_none_is_refused(string text) => Should.Throw<FormatException>(() => ApplicationName.Parse(text));
}
