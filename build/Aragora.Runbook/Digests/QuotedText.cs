namespace Aragora.Runbook.Digests;

/// <summary>Steps through SQL that the server wrote, over what stands in quotes.</summary>
internal static class QuotedText
{
    /// <summary>The place behind this character, or behind the quoted thing that it opens. A doubled quote reads as two quoted things, which comes to the same.</summary>
    public static int Past(string text, int at)
    {
        if (text[at] is not ('\'' or '"'))
        {
            return at + 1;
        }

        var escapes = text[at] == '\'' && at > 0 && text[at - 1] == 'E';
        for (var end = at + 1; end < text.Length; end++)
        {
            if (escapes && text[end] == '\\')
            {
                end++;
            }
            else if (text[end] == text[at])
            {
                return end + 1;
            }
        }

        return text.Length;
    }
}
