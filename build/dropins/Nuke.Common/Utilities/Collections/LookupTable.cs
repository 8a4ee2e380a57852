using System.Collections;

namespace Nuke.Common.Utilities.Collections;

/// <summary>Several values for a key, to which more can be added.</summary>
public class LookupTable<TKey, TValue> : ILookup<TKey, TValue>
    where TKey : notnull
{
    private readonly Dictionary<TKey, List<TValue>> _values = [];

    public int Count => _values.Count;

    public IEnumerable<TValue> this[TKey key] => _values.TryGetValue(key, out var values) ? values : [];

    public bool Contains(TKey key) => _values.ContainsKey(key);

    public void Add(TKey key, TValue value) => AddRange(key, [value]);

    public void AddRange(TKey key, IEnumerable<TValue> values)
    {
        if (!_values.TryGetValue(key, out var list))
            _values[key] = list = [];
        list.AddRange(values);
    }

    public bool Remove(TKey key) => _values.Remove(key);

    public void Clear() => _values.Clear();

    public IEnumerator<IGrouping<TKey, TValue>> GetEnumerator() =>
        _values.SelectMany(x => x.Value.Select(y => (x.Key, Value: y))).GroupBy(x => x.Key, x => x.Value).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
