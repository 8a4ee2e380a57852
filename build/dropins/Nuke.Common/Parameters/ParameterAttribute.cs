using System.Reflection;
using Nuke.Common.Utilities;
using Nuke.Common.ValueInjection;

namespace Nuke.Common;

/// <summary>A field or property whose value comes from the command line, the environment or a file of parameters.</summary>
public class ParameterAttribute(string description = null) : ValueInjectionAttributeBase
{
    /// <summary>One line for the help text.</summary>
    public virtual string Description { get; } = description;

    /// <summary>Another name than the member's.</summary>
    public string Name { get; set; }

    /// <summary>The one character between several values given as one.</summary>
    public string Separator { get; set; }

    /// <summary>Whether the help text shows it.</summary>
    public virtual bool List { get; set; } = true;

    /// <summary>The type that declares <see cref="ValueProviderMember"/>; the build's by default.</summary>
    public Type ValueProviderType { get; set; }

    /// <summary>A member of type <c>IEnumerable&lt;string&gt;</c> with the values that completion and prompts offer.</summary>
    public string ValueProviderMember { get; set; }

    /// <summary>The value, or null where nothing gives one.</summary>
    public override object GetValue(MemberInfo member, object instance) =>
        ParameterService.GetParameter<object>(member, ValueConversion.ToNullable(MemberUtility.TypeOf(member)));

    /// <summary>The values to choose from, or null.</summary>
    public virtual IEnumerable<(string, object)> GetValueSet(MemberInfo member, object instance) => null;
}
