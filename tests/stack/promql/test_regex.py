"""RE2's expressions match what they match in Prometheus, and what RE2 refuses is refused."""

from __future__ import annotations

import pytest

from otelkit_stack.selectors.matchers import Matcher
from otelkit_stack.selectors.regex import RegexError, compiled


@pytest.mark.parametrize(
    ("expression", "matching", "other"),
    [
        ("a|b", "b", "ab"),
        ("x(?i)b|c", "C", "Xb"),
        ("((?i)PRO).*", "production", "reproduction"),
        ("(?i:PRO).*", "Production", "aPro"),
        ("a$", "a", "a\n"),
        (".", "\n", ""),
        (r"\d", "7", "\N{ARABIC-INDIC DIGIT SEVEN}"),
        (r"\w+", "a_1", "ä"),
        (r"\D\S\W", "ab-", "1b-"),
        ("[[:alpha:]]+[^[:digit:]]", "ab-", "ab1"),
        (r"[\d.]+", "1.2", "a"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        ("a{,2}", "a{,2}", "aa"),
        ("a{2,}", "aaa", "a"),
        ("a{2}?", "aa", "a"),
        (r"\x{263a}\x41\101", "☺AA", "A"),
        ("(?P<n>a)(?<m>b)", "ab", "a"),
        ("[]a]+", "]a", "b"),
        ("[a&&b]", "&", "c"),
        (r"\bfoo\b", "foo", "foobar"),
        (r"\Aa\z", "a", "b"),
        ("(?i-s:A.)", "ab", "a\n"),
        ("", "", "a"),
        ("#~&", "#~&", "a"),
    ],
)
def test_an_expression_matches_the_whole_value(expression: str, matching: str, other: str) -> None:
    assert compiled(expression).fullmatch(matching)
    assert not compiled(expression).fullmatch(other)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a++", "invalid nested repetition operator: `++`"),
        ("[a", "missing closing ]: `[a`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<=a)", "invalid or unsupported Perl syntax: `(?<=`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("\\", "trailing backslash at end of expression: ``"),
    ],
)
def test_what_re2_does_not_know_is_refused_in_its_words(expression: str, reason: str) -> None:
    with pytest.raises(RegexError) as refused:
        Matcher("label", "=~", expression)
    assert str(refused.value) == f"error parsing regexp: {reason}"


@pytest.mark.parametrize("expression", [r"\pN", r"\p{Greek}", "(?U)a+", r"[\D]"])
def test_what_we_do_not_translate_is_refused_and_never_matched_wrongly(expression: str) -> None:
    with pytest.raises(RegexError, match="not supported"):
        compiled(expression)
