"""Matchers find what Prometheus would: compared with reading every series."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otelkit_stack.metrics.label_index import LabelIndex
from otelkit_stack.selectors.matchers import Matcher

_values = st.sampled_from(["", "a", "b", "ab", "a.b"])
_labels = st.dictionaries(st.sampled_from(["__name__", "job", "le"]), _values.filter(bool), max_size=3)
_matchers = st.builds(
    Matcher,
    st.sampled_from(["__name__", "job", "le", "other"]),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "a", "a.b", "a|b", ".*", ".+", "a?"]),
)


@given(st.lists(_labels, max_size=8), st.lists(_matchers, max_size=3))
def test_what_is_selected_is_what_reading_every_series_finds(series: list[dict[str, str]], matchers: list[Matcher]):
    index = LabelIndex()
    for number, labels in enumerate(series):
        index.add(number, labels)
    expected = {
        number for number, labels in enumerate(series) if all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
    }
    assert index.select(matchers) == expected


def test_a_series_taken_out_leaves_no_name_and_no_value_behind():
    index = LabelIndex()
    index.add(1, {"__name__": "up", "job": "orders"})
    index.add(2, {"__name__": "up", "pod": "x"})
    index.remove([2, 3])
    assert (index.names(), index.values("__name__"), index.values("pod"), len(index)) == (["__name__", "job"], ["up"], [], 1)


def test_names_and_values_of_some_series_only():
    index = LabelIndex()
    index.add(1, {"job": "orders"})
    index.add(2, {"job": "inventory", "pod": "x"})
    assert (index.names([1]), index.values("job", [1]), index.values("job")) == (["job"], ["orders"], ["inventory", "orders"])
