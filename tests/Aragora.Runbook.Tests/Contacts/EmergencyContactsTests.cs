using Aragora.Runbook.Contacts;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Contacts;

public sealed class EmergencyContactsTests
{
    private readonly string root = TestFolders.New("contacts");

    [Fact]
    public void Without_an_option_it_is_the_table_of_the_runbook()
    {
        EmergencyContacts.Read(null, root).ToTable().ShouldBe(
            """
            Role              Contact
            ----------------  ------------------------
            DBA On-Call       dba-oncall@company.com
            Platform Team     #platform-oncall (Slack)
            Incident Manager  incident@company.com
            """);
    }

    [Fact]
    public void An_option_names_roles_and_contacts() =>
        EmergencyContacts.Read(" DBA = dba@x.org; Duty=+49 30 1234=5 ;", root).All.ShouldBe([new Contact("DBA", "dba@x.org"), new Contact("Duty", "+49 30 1234=5")]);

    [Theory]
    [InlineData("""[{"role": "DBA", "contact": "dba@x.org"}, {"Role": "Duty", "Contact": "#duty"}]""")]
    [InlineData("""{"DBA": "dba@x.org", /* the others sleep */ "Duty": "#duty",}""")]
    public void A_file_names_them_as_a_list_or_an_object(string json)
    {
        File.WriteAllText(Path.Combine(root, "contacts.json"), json);

        EmergencyContacts.Read("contacts.json", root).All.ShouldBe([new Contact("DBA", "dba@x.org"), new Contact("Duty", "#duty")]);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("=")]
    [InlineData("DBA=")]
    [InlineData(";=;")]
    [InlineData("DBA=x;oops")]
    public void An_option_that_names_nobody_is_refused_with_an_example(string option) =>
        Should.Throw<BadInputException>(() => EmergencyContacts.Read(option, root)).Message.ShouldContain("--contacts \"DBA On-Call=");

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""[{"role": "DBA"}]""")]
    [InlineData("""{"DBA": 7}""")]
    [InlineData("""["x"]""")]
    public void A_file_that_names_nobody_is_refused(string json)
    {
        File.WriteAllText(Path.Combine(root, "bad.json"), json);

        Should.Throw<BadInputException>(() => EmergencyContacts.Read("bad.json", root)).Message.ShouldContain("bad.json");
    }
}
