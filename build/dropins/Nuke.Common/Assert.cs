using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nuke.Common;

/// <summary>Stops with a message where something does not hold. (Without hints to the analysis of null: the package has none.)</summary>
[DebuggerStepThrough]
public static class Assert
{
    /// <summary>Throws.</summary>
    public static void Fail(string message, Exception exception = null) => throw new Exception(message, exception);

    /// <summary>Throws unless the condition holds.</summary>
    public static void True(
        bool condition,
        string message = null,
        [CallerArgumentExpression(nameof(condition))] string argumentExpression = null)
    {
        if (!condition)
            throw Violation(message, "Expected condition to be true", argumentExpression);
    }

    /// <summary>Throws if the condition holds.</summary>
    public static void False(
        bool condition,
        string message = null,
        [CallerArgumentExpression(nameof(condition))] string argumentExpression = null)
    {
        if (condition)
            throw Violation(message, "Expected condition to be false", argumentExpression);
    }

    /// <summary>Returns the object, or throws if there is none.</summary>
    public static T NotNull<T>(
        this T obj,
        string message = null,
        [CallerArgumentExpression(nameof(obj))] string argumentExpression = null)
        where T : class
        => obj ?? throw Violation(message, $"Expected object of type '{typeof(T).FullName}' to be not null", argumentExpression);

    /// <summary>Returns the value, or throws if there is none.</summary>
    public static T? NotNull<T>(
        this T? obj,
        string message = null,
        [CallerArgumentExpression(nameof(obj))] string argumentExpression = null)
        where T : struct
        => obj ?? throw Violation(message, $"Expected object of type '{typeof(T).FullName}' to be not null", argumentExpression);

    /// <summary>Returns the text, or throws if it is null or empty.</summary>
    public static string NotNullOrEmpty(
        this string str,
        string message = null,
        [CallerArgumentExpression(nameof(str))] string argumentExpression = null)
        => string.IsNullOrEmpty(str) ? throw Violation(message, "Expected string to be not null or empty", argumentExpression) : str;

    /// <summary>Returns the text, or throws if it is null or blank.</summary>
    public static string NotNullOrWhiteSpace(
        this string str,
        string message = null,
        [CallerArgumentExpression(nameof(str))] string argumentExpression = null)
        => string.IsNullOrWhiteSpace(str) ? throw Violation(message, "Expected string to be not null or whitespace", argumentExpression) : str;

    /// <summary>Throws if the collection is null or empty.</summary>
    public static void NotEmpty<T>(
        IReadOnlyCollection<T> collection,
        string message = null,
        [CallerArgumentExpression(nameof(collection))] string argumentExpression = null)
    {
        if (collection.NotNull(argumentExpression: argumentExpression).Count == 0)
            throw Violation(message, "Expected collection to be not empty", argumentExpression);
    }

    /// <summary>Throws if the collection is null or has elements.</summary>
    public static void Empty<T>(
        IReadOnlyCollection<T> collection,
        string message = null,
        [CallerArgumentExpression(nameof(collection))] string argumentExpression = null)
    {
        if (collection.NotNull(argumentExpression: argumentExpression).Count > 0)
            throw Violation(message, "Expected collection to be empty", argumentExpression);
    }

    /// <summary>Throws unless the collection has this many elements.</summary>
    public static void Count<T>(
        IReadOnlyCollection<T> collection,
        int length,
        string message = null,
        [CallerArgumentExpression(nameof(collection))] string argumentExpression = null)
    {
        if (collection.NotNull(argumentExpression: argumentExpression).Count != length)
            throw Violation(message, $"Expected collection to have length of {length}", argumentExpression);
    }

    /// <summary>Throws unless the collection has one element.</summary>
    public static void HasSingleItem<T>(
        IReadOnlyCollection<T> collection,
        string message = null,
        [CallerArgumentExpression(nameof(collection))] string argumentExpression = null)
        => Count(collection, length: 1, message, argumentExpression);

    /// <summary>Throws unless the file exists.</summary>
    public static void FileExists(string path, string message = null, [CallerArgumentExpression(nameof(path))] string argumentExpression = null)
    {
        if (!File.Exists(path.NotNull(argumentExpression)))
            throw Violation(message, $"Expected file to exist: {path}", argumentExpression);
    }

    /// <summary>Throws unless the directory exists.</summary>
    public static void DirectoryExists(string path, string message = null, [CallerArgumentExpression(nameof(path))] string argumentExpression = null)
    {
        if (!Directory.Exists(path.NotNull(argumentExpression)))
            throw Violation(message, $"Expected directory to exist: {path}", argumentExpression);
    }

    private static ArgumentException Violation(string message, string standard, string expression) =>
        new(message ?? standard, message is null ? expression : null);
}
