using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Models;

namespace Aragora.Runbook.Migrations.Kubernetes;

/// <summary>The job file: one Job whose container runs <c>alembic upgrade</c>. It stays valid for a plain <c>kubectl apply</c>; a run's own Job is made from a copy.</summary>
public sealed class JobTemplate
{
    private const string UsualContainer = "migrate";
    private static readonly string[] Directions = ["upgrade", "downgrade"];
    private readonly string yaml;

    private JobTemplate(string file, string yaml, V1Job job, string container) => (File, this.yaml, Job, Container) = (file, yaml, job, container);

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The container that migrates.</summary>
    public string Container { get; }

    /// <summary>The namespace that the file names; null where it names none.</summary>
    public string? Namespace => Job.Metadata.NamespaceProperty;

    /// <summary>The image that the file names.</summary>
    public string Image => Migrating(Job).Image;

    /// <summary>The <c>alembic.ini</c> as the image knows it: what the command's <c>-c</c> names, else <c>alembic.ini</c>.</summary>
    public string Configuration
    {
        get
        {
            var before = Before(Migrating(Job));
            var at = before.FindIndex(word => word is "-c" or "--config");
            return at >= 0 && at + 1 < before.Count ? before[at + 1] : before.Find(word => word.StartsWith("--config=", StringComparison.Ordinal))?["--config=".Length..] ?? "alembic.ini";
        }
    }

    private V1Job Job { get; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="BadInputException">It is not there, or it is not one Job whose container runs <c>alembic upgrade</c>.</exception>
    public static JobTemplate Read(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new BadInputException($"There is no job file {file}.", "", "name it with --migration-job");
        }

        var yaml = System.IO.File.ReadAllText(file);
        var job = Parse(file, yaml);
        var containers = job.Spec?.Template?.Spec?.Containers ?? [];
        var container = containers.Count == 1 ? containers[0] : containers.FirstOrDefault(one => one.Name == UsualContainer);
        if (container is null)
        {
            throw Bad(file, containers.Count == 0 ? "its pod has no container" : $"it has {containers.Count} containers, and none of them is called {UsualContainer}");
        }

        if (string.IsNullOrEmpty(container.Image) || string.IsNullOrEmpty(job.Metadata?.Name))
        {
            throw Bad(file, "the Job has no name, or its container no image");
        }

        if (!Words(container).Any(word => Directions.Contains(word, StringComparer.Ordinal)))
        {
            throw Bad(file, $"the command of its container {container.Name} has no word \"upgrade\": a revision cannot be put into a shell's line");
        }

        return new JobTemplate(file, yaml, job, container.Name);
    }

    /// <summary>A copy of the file's Job, to be changed.</summary>
    internal V1Job Copy() => Parse(File, yaml);

    /// <summary>The container that migrates, in such a copy.</summary>
    internal V1Container Migrating(V1Job copy) => copy.Spec.Template.Spec.Containers.First(container => container.Name == Container);

    /// <summary>Lets the container go where it is to go; what stands before <c>upgrade</c> stays, where it stood.</summary>
    internal static void Direct(V1Container container, MigrationDirection direction, string revision)
    {
        var command = (container.Command ?? []).ToList();
        var arguments = (container.Args ?? []).ToList();
        var way = direction == MigrationDirection.Upgrade ? "upgrade" : "downgrade";
        if (command.FindIndex(Directs) is >= 0 and var at)
        {
            container.Command = [.. command[..at], way, revision];
            container.Args = null;
        }
        else
        {
            container.Args = [.. arguments[..arguments.FindIndex(Directs)], way, revision];
        }
    }

    private static bool Directs(string word) => Directions.Contains(word, StringComparer.Ordinal);

    private static IEnumerable<string> Words(V1Container container) => (container.Command ?? []).Concat(container.Args ?? []);

    private static List<string> Before(V1Container container) => [.. Words(container).TakeWhile(word => !Directs(word))];

    private static V1Job Parse(string file, string yaml)
    {
        try
        {
            var all = KubernetesYaml.LoadAllFromString(yaml).Where(one => one is not null).ToList();
            if (all is not [V1Job])
            {
                throw Bad(file, all.Count == 1 ? $"it holds a {all[0].GetType().Name[2..]}" : $"it holds {all.Count} objects");
            }

            // Once more, strictly: a misspelt name would be passed over in silence.
            return KubernetesYaml.Deserialize<V1Job>(yaml, strict: true);
        }
        catch (Exception unreadable) when (unreadable is YamlDotNet.Core.YamlException or KeyNotFoundException or InvalidCastException or FormatException)
        {
            throw Bad(file, unreadable is KeyNotFoundException ? "it holds something that is not a Kubernetes object of a known kind" : unreadable.InnerException?.Message ?? unreadable.Message, unreadable);
        }
    }

    private static BadInputException Bad(string file, string why, Exception? inner = null) => new(
        $"{file} is not a job file.",
        why,
        "it is to hold one batch/v1 Job whose container's command is [\"alembic\", \"upgrade\", \"head\"]; migrations/jobs/migration-job.yaml is an example, and --migration-job names another",
        inner);
}
