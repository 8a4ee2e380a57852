using System.Linq.Expressions;
using System.Text;
using Nuke.Common.Utilities;
using Serilog;
using static Nuke.Common.Constants;

namespace Nuke.Common.Execution;

/// <summary>The course of a build from its construction to its exit code.</summary>
internal static class BuildManager
{
    private const int ErrorExitCode = -1;

    private static readonly LinkedList<Action> s_cancellationHandlers = new();

    /// <summary>Called at Ctrl-C, the latest first; then the process ends.</summary>
    public static event Action CancellationHandler
    {
        add => s_cancellationHandlers.AddFirst(value);
        remove => s_cancellationHandlers.Remove(value);
    }

    /// <summary>Ends the process where the package does: help, plan and completion never come back to the caller.</summary>
#pragma warning disable RS0030 // Main may do more after Execute; as with the package, it must not after a mere question.
    internal static Action<int> EndProcess { get; set; } = Environment.Exit;
#pragma warning restore RS0030

    public static int Execute<T>(Expression<Func<T, Target>>[] defaultTargetExpressions)
        where T : NukeBuild, new()
    {
        if (Console.OutputEncoding.CodePage != Encoding.UTF8.CodePage)
            Console.OutputEncoding = Encoding.UTF8;
        Console.CancelKeyPress += (_, _) =>
        {
            foreach (var handler in s_cancellationHandlers.ToList())
                handler();
        };

        var build = new T();
        try
        {
            Logging.Configure(build);

            build.ExecutableTargets = ExecutableTargetFactory.CreateAll(build, defaultTargetExpressions);
            build.ExecuteExtension<IOnBuildCreated>(x => x.OnBuildCreated(build.ExecutableTargets));

            if (!build.NoLogo)
                build.WriteLogo();

            build.ExecutionPlan = ExecutionPlanner.GetExecutionPlan(
                build.ExecutableTargets,
                ParameterService.GetParameter<string[]>(InvokedTargetsParameterName, TargetsSeparator[0]));

            build.ExecuteExtension<IOnBuildInitialized>(x => x.OnBuildInitialized(build.ExecutableTargets, build.ExecutionPlan));

            CancellationHandler += Finish;
            BuildExecutor.Execute(build, ParameterService.GetParameter<string[]>(SkippedTargetsParameterName, TargetsSeparator[0]));

            // Settled here: OnBuildFinished, below, can no longer change it.
            return build.ExitCode ??= build.IsSucceeding ? 0 : ErrorExitCode;
        }
        catch (Exception thrown)
        {
            var exception = MemberUtility.Unwrap(thrown);
            if (exception is not TargetExecutionException)
            {
                Log.Verbose(exception, "Target-unrelated exception was thrown");
                Host.Error(exception.Message);
            }

            return build.ExitCode ??= ErrorExitCode;
        }
        finally
        {
            Finish();
            Log.CloseAndFlush();
        }

        void Finish()
        {
            if (build.ExecutionPlan is null)
                return;

            foreach (var target in build.ExecutionPlan)
            {
                target.Stopwatch.Stop();
                target.Status = target.Status switch
                {
                    ExecutionStatus.Running => ExecutionStatus.Aborted,
                    ExecutionStatus.Scheduled => ExecutionStatus.NotRun,
                    var status => status,
                };
            }

            build.WriteErrorsAndWarnings();
            build.WriteTargetOutcome();
            build.WriteBuildOutcome();
            build.ExecuteExtension<IOnBuildFinished>(x => x.OnBuildFinished());
        }
    }
}
