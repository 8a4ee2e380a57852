using Amazon.RDS.Model;
using Amazon.Runtime.Internal.Util;

namespace Amazon.RDS.Internal;

/// <summary>The members of a request; those that are not set are left out.</summary>
internal sealed class QueryForm(IDictionary<string, string> parameters)
{
    public QueryForm Add(string name, string value)
    {
        if (value is not null)
        {
            parameters.Add(name, StringUtils.FromString(value));
        }

        return this;
    }

    public QueryForm Add(string name, int? value) => value is { } set ? Add(name, StringUtils.FromInt(set)) : this;

    public QueryForm Add(string name, bool? value) => value is { } set ? Add(name, StringUtils.FromBool(set)) : this;

    public QueryForm Add(string name, string element, List<string> values) => Each(name, element, values, (prefix, value) => Add(prefix, value));

    public QueryForm Add(string name, List<Tag> tags) => Each(name, "Tag", tags, (prefix, tag) => Add($"{prefix}.Key", tag.Key).Add($"{prefix}.Value", tag.Value));

    public QueryForm Add(string name, List<ProcessorFeature> features) =>
        Each(name, "ProcessorFeature", features, (prefix, feature) => Add($"{prefix}.Name", feature.Name).Add($"{prefix}.Value", feature.Value));

    public QueryForm Add(string name, List<Filter> filters) =>
        Each(name, "Filter", filters, (prefix, filter) => Add($"{prefix}.Name", filter.Name).Add($"{prefix}.Values", "Value", filter.Values));

    public QueryForm Add(string name, CloudwatchLogsExportConfiguration configuration) =>
        configuration is null ? this : Add($"{name}.DisableLogTypes", "member", configuration.DisableLogTypes).Add($"{name}.EnableLogTypes", "member", configuration.EnableLogTypes);

    /// <summary>A list that is set and empty is sent as such: it says "none", and not "as it was".</summary>
    private QueryForm Each<T>(string name, string element, List<T> values, Action<string, T> write)
    {
        if (values is { Count: 0 } && !AWSConfigs.InitializeCollections)
        {
            parameters.Add(name, "");
        }

        for (var index = 0; index < (values?.Count ?? 0); index++)
        {
            write(FormattableString.Invariant($"{name}.{element}.{index + 1}"), values[index]);
        }

        return this;
    }
}
