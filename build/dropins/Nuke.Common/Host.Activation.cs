using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Nuke.Common.CI.AzurePipelines;
using Nuke.Common.CI.GitHubActions;
using Nuke.Common.Execution;
using Nuke.Common.Utilities;

namespace Nuke.Common;

public partial class Host
{
    // Kept by hand: looking through the assembly's types at each start takes longer.
    private static readonly (Type Type, Func<bool> IsRunning, Func<Host> Create)[] s_known =
    [
        (typeof(AzurePipelines), () => AzurePipelines.IsRunningAzurePipelines, () => new AzurePipelines()),
        (typeof(GitHubActions), () => GitHubActions.IsRunningGitHubActions, () => new GitHubActions()),
        (typeof(Rider), () => Rider.IsRunningRider, () => new Rider()),
        (typeof(VSCode), () => VSCode.IsRunningVSCode, () => new VSCode()),
        (typeof(VisualStudio), () => VisualStudio.IsRunningVisualStudio, () => new VisualStudio()),
        (typeof(Terminal), () => Terminal.IsRunningTerminal, () => new Terminal()),
    ];

    internal static Host Instance { get; private set; }

    /// <summary>The host that recognises its surroundings: CI services first, the plain terminal last.</summary>
    internal static Host Default
    {
        get
        {
            var custom = CustomTypes.Where(x => !x.IsAssignableTo(typeof(Terminal))).FirstOrDefault(IsRunning)
                ?? (Array.Exists(s_known, x => !x.Type.IsAssignableTo(typeof(Terminal)) && x.IsRunning())
                    ? null
                    : CustomTypes.FirstOrDefault(IsRunning));
            return custom is not null ? CreateHost(custom) : Array.Find(s_known, x => x.IsRunning()).Create();
        }
    }

    internal static IEnumerable<Type> AvailableTypes => s_known.Select(x => x.Type).Concat(CustomTypes);

    /// <summary>Whether the host's blocks fold, so that they replace the headings.</summary>
    internal bool CanCollapse =>
        GetType().GetMethod(nameof(WriteBlock), MemberUtility.Instance | BindingFlags.DeclaredOnly, [typeof(string)]) is not null;

    private static IEnumerable<Type> CustomTypes =>
        Assembly.GetEntryAssembly() is { } entry && entry != typeof(Host).Assembly
            ? entry.GetExportedTypes().Where(x => x.IsSubclassOf(typeof(Host)))
            : [];

    private static bool IsRunning(Type hostType)
    {
        var name = $"IsRunning{hostType.Name}";
        var property = hostType.GetProperty(name, MemberUtility.All).NotNull($"Host type '{hostType.Name}' defines no property '{name}'");
        return (bool)property.GetValue(null);
    }

    private static Host CreateHost(Type hostType) =>
        Array.Find(s_known, x => x.Type == hostType).Create?.Invoke() ?? (Host)Activator.CreateInstance(hostType, nonPublic: true);

    private sealed class HostTypeConverter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext context, Type sourceType) =>
            sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

        public override object ConvertFrom(ITypeDescriptorContext context, CultureInfo culture, object value)
        {
            if (value is not string name)
                return base.ConvertFrom(context, culture, value);

            var matching = AvailableTypes.Where(x => x.FullName!.EndsWith(name, StringComparison.OrdinalIgnoreCase)).ToList();
            Assert.HasSingleItem(matching);
            return CreateHost(matching[0]);
        }
    }
}
