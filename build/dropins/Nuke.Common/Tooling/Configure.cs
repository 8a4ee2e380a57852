namespace Nuke.Common.Tooling;

/// <summary>Changes options and returns them.</summary>
public delegate T Configure<T>(T options);

/// <summary>Helps with <see cref="Configure{T}"/>.</summary>
public static class ConfigureExtensions
{
    /// <summary>Nothing to do leaves the options as they are.</summary>
    public static T InvokeSafe<T>(this Configure<T> configurator, T obj) => configurator is null ? obj : configurator(obj);
}
