using Aragora.Runbook.Migrations.Compose;

namespace Aragora.Runbook.Applications.Compose;

/// <summary>Which Compose project.</summary>
/// <param name="Root">The checkout: where Compose looks for its file.</param>
/// <param name="Files">Its files; none leaves the choice to Compose, and takes <see cref="ComposeOptions.FallbackFile"/> where it would find none.</param>
/// <param name="Project">Its name; null leaves that to Compose.</param>
public sealed record ComposeLocation(string Root, IReadOnlyList<string> Files, string? Project)
{
    private static readonly string[] Usual = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

    /// <summary>What comes before the subcommand.</summary>
    public IReadOnlyList<string> Arguments
    {
        get
        {
            var files = Files.Count > 0 ? Files : Usual.Any(file => File.Exists(Path.Combine(Root, file))) ? [] : [ComposeOptions.FallbackFile];
            return [.. files.SelectMany(file => new[] { "--file", file }), .. Project is null ? [] : new[] { "--project-name", Project }];
        }
    }
}
