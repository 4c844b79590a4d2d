"""Redaction: secrets go, everything else stays readable."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelkit.catalog import labels
from otelkit.catalog import logs as log_keys
from otelkit.redaction import (
    REDACTED,
    is_sensitive,
    redact_code,
    redact_path,
    redact_query_strings,
    redact_text,
    redact_url,
    redact_value,
    sanitize_sql,
)

SENTRY = (
    "password passwd secret api_key apikey auth credentials mysql_pwd privatekey private_key token session csrftoken sessionid x_csrftoken "
    "x_forwarded_for set_cookie cookie authorization proxy-authorization x_api_key aiohttp_session connect.sid csrf_token csrf _csrf "
    "_csrf_token PHPSESSID _session symfony user_session _xsrf XSRF-TOKEN x_real_ip ip_address remote_addr"
)
OTHERS = (
    "pwd jwt ssn social_security credit_card card_number HTTP_COOKIE AWS_SECRET_ACCESS_KEY SIGNATURE EMAIL_HOST_PASSWORD DATABASE_URL dsn "
    "accessToken X-Api-Key userPassword http.request.header.authorization session_id refresh_token otp cvv iban db.password url.query"
)
SEMANTIC_CONVENTIONS = "X-Amz-Signature X-Amz-Credential X-Amz-Security-Token AWSAccessKeyId Signature sig X-Goog-Signature"
HARMLESS = (
    "author author_id authors authority is_authenticated key cache_key primary_key token_count token_type max_tokens session_duration_s "
    "gen_ai.usage.input_tokens tokenizer cardinality spin pinned compass passed path http.route url.path user_agent.name status_code "
    "session_cookie_name password_changed_at db.query.count monkey keyboard design signal assigned message_id order_id"
)


@pytest.mark.parametrize("key", f"{SENTRY} {OTHERS} {SEMANTIC_CONVENTIONS}".split())
def test_names_of_secrets_are_known_however_they_are_spelled(key):
    """C1, C2: the lists of Sentry, Elastic, Logfire, Django and the seven keys of the semantic conventions."""
    assert is_sensitive(key)
    assert redact_value(key, "hunter2") == REDACTED


@pytest.mark.parametrize("key", HARMLESS.split())
def test_names_that_only_look_like_secrets_keep_their_values(key):
    assert redact_value(key, "value") == "value"


def test_no_key_and_no_label_of_the_catalogue_is_taken_for_a_secret():
    """Otherwise a panel would draw [REDACTED]."""
    names = [value for name, value in vars(log_keys).items() if name.isupper() and isinstance(value, str)]
    names += [value.name for value in vars(labels).values() if isinstance(value, labels.Label)]
    assert len(names) > 40
    # Personal, so no log line has it; the span of a request only where `requests.client_address` asks for it.
    names.remove(labels.CLIENT_ADDRESS.name)
    assert [name for name in names if is_sensitive(name)] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:pa@ss@host:8443/a?x=1&y=#f", "https://REDACTED:REDACTED@host:8443/a?x=REDACTED&y=#f"),
        ("https://host/a", "https://host/a"),
        ("/search?q=name&page=2", "/search?q=REDACTED&page=REDACTED"),
        ("https://host/cb#access_token=abc&state=1", "https://host/cb#access_token=REDACTED&state=REDACTED"),
        ("https://host/magic?eyJhbGci.x.y", "https://host/magic?REDACTED"),
        ("https://[::1:bad/a?b=c", "https://[::1:bad/a?b=REDACTED"),
        ("postgres://app:hunter2@db/shop", "postgres://REDACTED:REDACTED@db/shop"),
        ("", ""),
    ],
)
def test_a_url_keeps_its_shape_and_loses_its_values(url, expected):
    assert redact_url(url) == expected


def test_allowed_query_keys_keep_their_values_unless_their_name_is_a_secrets():
    assert redact_url("/a?page=2&token=t&q=x", allow={"page", "token"}) == "/a?page=2&token=REDACTED&q=REDACTED"


@pytest.mark.parametrize("key", [*SEMANTIC_CONVENTIONS.split(), "token", "password", "email", "whatever"])
def test_values_of_known_and_unknown_query_keys_are_dropped(key):
    """C2: the seven keys, the kit's own, and everything else."""
    assert "s3cr3t" not in redact_url(f"https://host/a?{key}=s3cr3t")
    assert "s3cr3t" not in redact_query_strings(f'"GET /a?{key}=s3cr3t HTTP/1.1" 200 "https://host/b?{key}=s3cr3t"')


def test_lines_of_servers_keep_everything_but_query_values():
    line = '127.0.0.1 - - [22/Nov/2026] "GET /reset?token=abc HTTP/1.1" 200 12 "https://a.example/?q=name" "curl/8"'
    assert redact_query_strings(line) == line.replace("abc", "REDACTED").replace("name", "REDACTED")


@pytest.mark.parametrize("text", ["Really?yes", "What? a=b", "a ? b : c", "no question"])
def test_questions_in_prose_stay(text):
    assert redact_query_strings(text) == text


def test_the_token_in_a_path_goes_and_other_captured_values_stay():
    assert redact_path("/reset/MQ/abc-123/", {"uidb64": "MQ", "token": "abc-123"}) == f"/reset/MQ/{REDACTED}/"
    assert redact_path("/pin/4711/", {"pin": 4711, "other": ""}) == f"/pin/{REDACTED}/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login failed: password=hunter2", "login failed: password=[REDACTED]"),
        ("error: password=hunter2, user=kim", "error: password=[REDACTED], user=kim"),
        ("{'password': 'hunter2', 'user': 'kim'}", "{'password': [REDACTED], 'user': 'kim'}"),
        (r"body {\"api_key\": \"hunter2\", \"a\": 1}", r"body {\"api_key\": [REDACTED], \"a\": 1}"),
        ('secret = "hunter2 with \\" quotes" ok', "secret = [REDACTED] ok"),
        ("Login(user='kim', password=hunter2)", "Login(user='kim', password=[REDACTED])"),
        ("token: abc", "token: [REDACTED]"),
        ("sent Bearer hunter2.hunter2", "sent Bearer [REDACTED]"),
        ("Authorization: Basic aHVudGVyMg==\r\nHost: a", "Authorization: [REDACTED]\r\nHost: a"),
        ("Cookie: a=hunter2; b=hunter2\nHost: a", "Cookie: [REDACTED]\nHost: a"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.hunter2", "got [REDACTED]"),
        ("cannot reach postgres://app:hunter2@db:5432/shop", "cannot reach postgres://REDACTED:REDACTED@db:5432/shop"),
        ("cannot reach postgres://app:hun/ter2@db:5432/shop", "cannot reach postgres://REDACTED:REDACTED@db:5432/shop"),
        ("url: /pay?account=hunter2 (timed out)", "url: /pay?account=REDACTED (timed out)"),
        ("card 4111 1111 1111 1111 declined", "card [REDACTED] declined"),
        ("card 4111111111111111.", "card [REDACTED]."),
    ],
)
def test_secrets_inside_prose_are_found(text, expected):
    """C1: exception messages and log messages. What is redacted already stays so."""
    assert redact_text(text) == expected
    assert redact_text(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111111111111112 at 1795348489000000000 ns",  # No check digit, and a time.
        "GET /orders/{pk} 200",
        "author: kim, keys: 3, page=2",
        "Token authentication failed",
        "token=None, password: %s, WHERE password = ?",
        "basic settings loaded",
        "http://127.0.0.1:4318/v1/traces refused",
        "http://host:80/a@b",
        "00000000-0000-4000-8000-000000000000",
        "",
    ],
)
def test_harmless_prose_stays_as_it_is(text):
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    ["a" * 300_000, "a=" * 150_000, "/?" * 150_000, "://" * 100_000, '"' * 300_000, "4" * 300_000, "password=" * 40_000, "\\" * 300_000],
)
def test_hostile_lengths_cost_milliseconds(text):
    """A pattern that tries each start again would take minutes here."""
    begun = time.perf_counter()
    assert len(redact_text(text)) < 400_000
    sanitize_sql(text)
    redact_code(text[:1_000])
    redact_url(text)
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('raise ValueError("password=hunter2")', 'raise ValueError("password=[REDACTED]")'),
        ('connect(host="db", password="hunter2")', 'connect(host="db", password=[REDACTED])'),
        ("settings = {'api_key': 'hunter2', 'page': 'a'}", "settings = {'api_key': [REDACTED], 'page': 'a'}"),
        ('token = request.GET["token"]', 'token = request.GET["token"]'),
        ("session = Session(bind=engine)", "session = Session(bind=engine)"),
    ],
)
def test_a_line_of_code_loses_literal_secrets_and_stays_code(line, expected):
    assert redact_code(line) == expected


@given(st.text())
def test_any_text_can_be_redacted(text):
    for function in (redact_text, redact_query_strings, redact_url, sanitize_sql):
        assert isinstance(function(text), str)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM users WHERE name = 'O''Brien' AND id = 7", "SELECT * FROM users WHERE name = ? AND id = ?"),
        ('SELECT "t"."a" FROM "t" WHERE "t"."b" = 1.5e3', 'SELECT "t"."a" FROM "t" WHERE "t"."b" = ?'),
        ("SELECT $$it's secret$$, $tag$a $$ b$tag$", "SELECT ?, ?"),
        ("SELECT x'deadbeef', 0xFF, E'a', N'b'", "SELECT ?, ?, ?, ?"),
        ("SELECT a1, b2 FROM t1 WHERE c IN (1, 2, 3) LIMIT 21", "SELECT a1, b2 FROM t1 WHERE c IN (?) LIMIT ?"),
        ("SELECT 1 -- secret\n, 2 /* secret /* nested */ secret */ , 3", "SELECT ? , ? , ?"),
        ('SELECT * FROM `users` WHERE `name` = "hunter2"', "SELECT * FROM `users` WHERE `name` = ?"),
        ('SELECT * FROM users WHERE name = "hunter2"', "SELECT * FROM users WHERE name = ?"),
        ('INSERT INTO "t" ("a", "b") VALUES ("x", NULL), ("hunter2", 1)', 'INSERT INTO "t" ("a", "b") VALUES (?, NULL), (?, ?)'),
        ('SELECT 1 FROM "a" WHERE "a"."x" IN (SELECT "b"."y" FROM "b")', 'SELECT ? FROM "a" WHERE "a"."x" IN (SELECT "b"."y" FROM "b")'),
        (
            "SELECT * FROM t WHERE a = %s AND b = $1 AND c = :name AND d = %(x)s",
            "SELECT * FROM t WHERE a = %s AND b = $1 AND c = :name AND d = %(x)s",
        ),
        ("SELECT '1'::int", "SELECT ?::int"),
        ("SELECT 'unfinished secret", "SELECT ?"),
        ("SELECT 1 /* unfinished secret", "SELECT ?"),
        ("SELECT $$ unfinished secret", "SELECT ?"),
        (r"SELECT a FROM t WHERE b LIKE '%x\_%' ESCAPE '\' AND c = 'hunter2'", "SELECT a FROM t WHERE b LIKE ? ESCAPE ? AND c = ?"),
        ("  SELECT\n\t1  ", "SELECT ?"),
    ],
)
def test_sql_loses_its_literals_and_keeps_its_shape(statement, expected):
    """A19: only statements that carry values in their text come here."""
    assert sanitize_sql(statement) == expected


@pytest.mark.parametrize("statement", [r"SELECT 'it\'s secret', 'secret'", r"SELECT 'a\', 'secret'", r'SELECT "a\"", "secret" FROM `t`'])
def test_where_dialects_disagree_about_a_quote_everything_between_the_quotes_goes(statement):
    text = sanitize_sql(statement)
    assert "secret" not in text
    assert text.startswith("SELECT ?")


def test_a_long_statement_is_cut():
    assert len(sanitize_sql("SELECT " + ", ".join(f"column_{n}" for n in range(10_000)))) < 2_100
