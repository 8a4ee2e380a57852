using System.Linq.Expressions;
using Nuke.Common.Execution;
using Nuke.Common.IO;
using Nuke.Common.ValueInjection;

namespace Nuke.Common;

public abstract partial class NukeBuild
{
    IReadOnlyCollection<ExecutableTarget> INukeBuild.ExecutableTargets => ExecutableTargets;
    string[] INukeBuild.LoadedLocalProfiles => LoadedLocalProfiles;
    AbsolutePath INukeBuild.RootDirectory => RootDirectory;
    AbsolutePath INukeBuild.TemporaryDirectory => TemporaryDirectory;
    AbsolutePath INukeBuild.BuildAssemblyFile => BuildAssemblyFile;
    AbsolutePath INukeBuild.BuildAssemblyDirectory => BuildAssemblyDirectory;
    AbsolutePath INukeBuild.BuildProjectDirectory => BuildProjectDirectory;
    AbsolutePath INukeBuild.BuildProjectFile => BuildProjectFile;
    Verbosity INukeBuild.Verbosity => Verbosity;
    Host INukeBuild.Host => Host;
    bool INukeBuild.IsLocalBuild => IsLocalBuild;
    bool INukeBuild.IsServerBuild => IsServerBuild;
    bool INukeBuild.IsOutputEnabled(DefaultOutput output) => IsOutputEnabled(output);
    T INukeBuild.TryGetValue<T>(Expression<Func<T>> parameterExpression) => ValueInjectionUtility.TryGetValue(parameterExpression);
    T INukeBuild.TryGetValue<T>(Expression<Func<object>> parameterExpression) => ValueInjectionUtility.TryGetValue<T>(parameterExpression);
}
