"""Numbers and strings look as Go writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelkit_stack.go_text import answered, general, plain, quoted


@pytest.mark.parametrize(
    ("value", "as_plain", "as_answered", "as_general"),
    [
        (1.0, "1", "1", "1"),
        (-0.0, "-0", "-0", "-0"),
        (0.1, "0.1", "0.1", "0.1"),
        (19.251031305248496, "19.251031305248496", "19.251031305248496", "19.251031305248496"),
        (1e6, "1000000", "1000000", "1e+06"),
        (123456789.0, "123456789", "123456789", "1.23456789e+08"),
        (1e20, "100000000000000000000", "100000000000000000000", "1e+20"),
        (1e21, "1000000000000000000000", "1e+21", "1e+21"),
        (0.00001, "0.00001", "0.00001", "1e-05"),
        (1.5e-7, "0.00000015", "1.5e-07", "1.5e-07"),
        (5e-324, "0." + "0" * 323 + "5", "5e-324", "5e-324"),
        (math.inf, "+Inf", "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf", "-Inf"),
        (math.nan, "NaN", "NaN", "NaN"),
    ],
)
def test_the_three_ways_to_write_a_number(value: float, as_plain: str, as_answered: str, as_general: str) -> None:
    assert (plain(value), answered(value), general(value)) == (as_plain, as_answered, as_general)


@given(st.floats(allow_nan=False))
def test_what_is_written_means_the_same_number(value: float) -> None:
    assert float(plain(value)) == float(answered(value)) == float(general(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", '"a"'),
        ('"\\', r'"\"\\"'),
        ("\n\t\x00\x7f", r'"\n\t\x00\x7f"'),
        ("ä😀", '"ä😀"'),
        ("\u2028", r'"\u2028"'),
        ("a\udcc5z", r'"a\xc5z"'),
    ],
)
def test_strings_are_quoted_with_escapes_for_what_cannot_be_printed(text: str, expected: str) -> None:
    assert quoted(text) == expected
