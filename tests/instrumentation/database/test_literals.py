"""A19: literals of each dialect, in forms that the database itself takes for literals."""

from __future__ import annotations

import pytest
from django.db import connections

from otelkit.database.statements import LONGEST_TEXT, _remembered, parse_statement
from otelkit.redaction import sanitize_sql

SECRET = "hunter2"
HEX = SECRET.encode().hex()

OF_BOTH = [f"'{SECRET}'", f"'it''s {SECRET}'", f"'-- {SECRET}'", f"'/* {SECRET} */'", f"'a;{SECRET}'", f"'\"{SECRET}\"'"]
OF_SQLITE = [f"x'{HEX}'", f"'\\' || '{SECRET}'", f"'{SECRET}' -- {SECRET}"]
OF_POSTGRESQL = [
    f"E'it\\'s {SECRET}'",
    f"E'\\\\' || '{SECRET}'",
    f"U&'\\0061 {SECRET}'",
    f"$${SECRET}'s$$",
    f"$tag${SECRET} $$ '$tag$",
    f"'\\x{HEX}'::bytea",
    f"B'{''.join(f'{byte:08b}' for byte in SECRET.encode())}'",
    f"ARRAY['a', '{SECRET}']",
    f"'{{a,{SECRET}}}'::text[]",
    f"""'{{"key": "{SECRET}"}}'::jsonb -> 'key'""",
    f"json_build_object('a', '{SECRET}')",
    f"'{SECRET}' /* {SECRET} /* {SECRET} */ {SECRET} */",
    f"'a'\n'{SECRET}'",
    f"(SELECT string_agg(x, '{SECRET}') FROM (VALUES ('a'), ('{SECRET}')) AS v (x))",
]


def _is_hidden(literal: str, cursor) -> None:
    statement = f"SELECT {literal} AS value WHERE 1 = 1"
    if "--" in literal and not literal.startswith("'--"):
        statement = f"SELECT 1 AS value WHERE {literal}\n IS NOT NULL"
    cursor.execute(statement)
    cursor.fetchall()
    text = sanitize_sql(statement)
    assert SECRET not in text
    assert HEX not in text
    assert text.startswith("SELECT ")
    assert "value" in text
    assert sanitize_sql(text) == text, "what is sanitised stays as it is"


@pytest.mark.parametrize("literal", [*OF_BOTH, *OF_SQLITE])
def test_no_literal_of_sqlite_is_left(literal):
    """A19, C1."""
    with connections["default"].cursor() as cursor:
        _is_hidden(literal, cursor)


@pytest.mark.parametrize("literal", [*OF_BOTH, *OF_POSTGRESQL])
def test_no_literal_of_postgresql_is_left(literal, postgresql_alias):
    """A19, C1."""
    with connections[postgresql_alias].cursor() as cursor:
        _is_hidden(literal, cursor)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT 1_000, 0x1F, 0o17, 0b11, 1.5e-3, .5", "SELECT ?, ?, ?, ?, ?, ?"),
        ("SELECT * FROM a WHERE x IN (1, 2,3) AND y IN ( -1 , '2'::text )", "SELECT * FROM a WHERE x IN (?) AND y IN (?)"),
        ("SELECT ARRAY[1,2]::int[], b[1:2] FROM t1", "SELECT ARRAY[?]::int[], b[?:?] FROM t1"),
        ("INSERT INTO a (b, c) VALUES (1, 'x'), (2, 'y'), (3, 'z')", "INSERT INTO a (b, c) VALUES (?, ?)"),
        ("SELECT data #>> '{a,b}', data->'c' FROM a", "SELECT data #>> ?, data->? FROM a"),
        ("SELECT a # of mysql: hunter2\n FROM b", "SELECT a FROM b"),
        ("SELECT x::int4, $1, %s, :name FROM a2", "SELECT x::int4, $1, %s, :name FROM a2"),
        ('SELECT "a"."id" FROM "t" WHERE "a"."b" = 5', 'SELECT "a"."id" FROM "t" WHERE "a"."b" = ?'),
    ],
)
def test_what_is_no_literal_stays(statement, text):
    """A19."""
    assert sanitize_sql(statement) == text


def test_parameterised_text_is_recorded_as_it_is(alias, telemetry):
    """A19: also its numbers, its comments and its LIMIT."""
    sql = "/* reason */ SELECT name, 7 FROM project_item WHERE id = %s LIMIT 3"
    with telemetry.runtime.tracer.start_as_current_span("work"), connections[alias].cursor() as cursor:
        cursor.execute(sql, [4])
    assert telemetry.span("SELECT project_item")["attributes"]["db.query.text"] == sql


def test_what_psycopg_composes_is_named_and_loses_its_literals(postgresql_alias, telemetry):
    """A19: sql.Literal puts the value into the text, whatever parameters stand beside it."""
    from psycopg import sql

    statement = sql.SQL("SELECT name FROM {} WHERE name = {} AND id = %s").format(sql.Identifier("project_item"), sql.Literal(SECRET))
    with telemetry.runtime.tracer.start_as_current_span("work"), connections[postgresql_alias].cursor() as cursor:
        cursor.execute(statement, [1])
        cursor.execute(b"SELECT name FROM project_item WHERE name = 'hunter2'")
    texts = [span["attributes"]["db.query.text"] for span in telemetry.spans if span["kind"] == "CLIENT"]
    assert texts == ['SELECT name FROM "project_item" WHERE name = ? AND id = %s', "SELECT name FROM project_item WHERE name = ?"]


def test_a_long_statement_is_cut_and_not_remembered():
    """A19: the text on the span is bounded, and two long statements that differ at their end only have two shapes."""
    columns = ", ".join(f"column_{number}" for number in range(2000))
    before = _remembered.cache_info().currsize
    first, second = (parse_statement(f"SELECT {columns} FROM t WHERE {end} = %s", has_parameters=True) for end in "ab")
    assert len(first.text) <= LONGEST_TEXT + 3
    assert (first.summary, second.summary) == ("SELECT t", "SELECT t")
    assert first.shape != second.shape
    assert _remembered.cache_info().currsize == before


def test_endless_different_statements_do_not_grow_memory():
    """A19."""
    for number in range(3000):
        parse_statement(f"SELECT {number} FROM t", has_parameters=True)
    info = _remembered.cache_info()
    assert info.currsize <= (info.maxsize or 0) == 1024


def test_a_statement_that_is_cut_inside_a_literal_shows_nothing_of_it():
    """C1: the quote that would end the literal lies behind the cut."""
    statement = f"SELECT E'\\'', '{'x' * 65_520}{SECRET} {SECRET} {SECRET}'"
    assert SECRET not in sanitize_sql(statement)


@pytest.mark.parametrize(
    "hostile",
    [
        "/**/" * 20_000 + "1",
        "(" * 60_000,
        "'" * 60_001,
        "FROM " * 12_000,
        "SELECT EXTRACT(" * 4000 + "FROM x",
        "IN (" + "?, " * 20_000,
        "$a" * 30_000,
        "SELECT " + "EXTRACT(x FROM " * 4000,
    ],
    ids=["comments", "brackets", "quotes", "froms", "extracts", "list", "dollars", "functions"],
)
@pytest.mark.parametrize("has_parameters", [True, False])
def test_hostile_statements_are_read_without_trying_everything(hostile, has_parameters):
    """B5: an expression that backtracks would not come back from these."""
    assert parse_statement(hostile, has_parameters=has_parameters).operation
