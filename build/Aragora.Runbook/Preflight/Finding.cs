using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Preflight;

/// <summary>What a check found.</summary>
/// <param name="Text">What is so, in words for people.</param>
/// <param name="Next">The next command to type or thing to do; empty for <see cref="Ok"/>.</param>
public abstract record Finding(string Text, string Next)
{
    /// <summary>Nothing stands in the way.</summary>
    public sealed record Ok(string Text) : Finding(Text, "");

    /// <summary>Goes on, but somebody should know.</summary>
    public sealed record Warning(string Text, string Next) : Finding(Text, Next);

    /// <summary>Does not go on.</summary>
    public sealed record Refusal(string Text, string Next) : Finding(Text, Next);

    /// <summary>"ok", "WARNING" or "REFUSED".</summary>
    public string Word => this switch
    {
        Warning => "WARNING",
        Refusal => "REFUSED",
        _ => "ok",
    };
}

/// <summary>One line of the preflight.</summary>
/// <param name="Environment">Whose database; null for what concerns both, or the checkout.</param>
/// <param name="Id">The check's id.</param>
/// <param name="Title">The check's title.</param>
/// <param name="Finding">What it found.</param>
/// <param name="Took">How long it took.</param>
public sealed record PreflightResult(TargetEnvironment? Environment, string Id, string Title, Finding Finding, TimeSpan Took);
