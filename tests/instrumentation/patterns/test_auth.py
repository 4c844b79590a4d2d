"""Tokens by reason, keys that rotate or are away, and what Django says of log-ins, permissions and CSRF."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseForbidden
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework.views import APIView

from otelkit.patterns import auth
from otelkit.patterns.auth import Issuer, Keys, KeysUnavailableError, TokenRejectedError, TokenValidator, UnknownKeyError
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH, ask_sync
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.patterns.serving import serving, values

LOGIN = "https://login.example"
OLD, NEW = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
CURVE = ec.generate_private_key(ec.SECP256R1())


def public(key_id: str, key: Any = OLD) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}


class IssuerServer:
    """Answers with what it is told; counts who asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.keys: list[dict[str, Any]] = [public("old"), public("curve", CURVE)]
        self.body: bytes | None = None
        self.status = 200
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                body = json.dumps({"keys": server.keys}).encode() if server.body is None else server.body
                self.send_response(server.status)
                if server.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/jwks.json"

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[IssuerServer]:
    running = IssuerServer()
    yield running
    running.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(server: IssuerServer, clock: Clock) -> TokenValidator:
    return TokenValidator(Issuer("login", LOGIN, "orders", Keys(server.url, clock=clock)))


def token(claims: dict[str, Any] | None = None, key: Any = OLD, key_id: str | None = "old", algorithm: str = "RS256", **more: Any) -> str:
    now = int(time.time())
    given = {"iss": LOGIN, "aud": "orders", "sub": "alice", "iat": now, "exp": now + 300} | (claims or {})
    headers = {"kid": key_id} if key_id else {}
    return jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm, headers=headers | more)


def now(offset: int) -> int:
    return int(time.time()) + offset


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join([*parts, ""])


def check_sync(tokens: TokenValidator, given: Any) -> dict[str, Any]:
    return tokens.validate(given)


def check_async(tokens: TokenValidator, given: Any) -> dict[str, Any]:
    return asyncio.run(tokens.validate_async(given))


CHECKS = [check_sync, check_async]


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_token_gives_its_claims(check, tokens):
    """A25: while the kit is off."""
    assert check(tokens, token())["sub"] == "alice"
    assert check(tokens, token(key=CURVE, key_id="curve", algorithm="ES256"))["sub"] == "alice"


REFUSED: dict[str, tuple[str, Callable[[], Any]]] = {
    "nothing": ("missing", lambda: None),
    "empty": ("missing", lambda: ""),
    "words": ("malformed", lambda: "not a token"),
    "dots": ("malformed", lambda: "..."),
    "endless": ("malformed", lambda: "a" * 20_000),
    "surrogates": ("malformed", lambda: "\ud800.\ud800.\ud800"),
    "bytes": ("malformed", lambda: b"a.b.c"),
    "a list of claims": ("malformed", lambda: unsigned({"alg": "RS256"}, [1])),  # type: ignore[arg-type]
    "unsigned": ("algorithm", lambda: unsigned({"alg": "none", "kid": "old"}, {"iss": LOGIN})),
    "signed by a secret": ("algorithm", lambda: token(key="s" * 64, algorithm="HS256")),
    "nobody's": ("issuer", lambda: token({"iss": None})),
    "somebody else's": ("issuer", lambda: token({"iss": "https://evil.example"})),
    "an issuer that is a list": ("issuer", lambda: unsigned({"alg": "RS256"}, {"iss": [LOGIN]})),
    "without a key id": ("unknown_key", lambda: token(key_id=None)),
    "with a strange key id": ("unknown_key", lambda: token(key_id="'; DROP TABLE keys")),
    "forged": ("signature", lambda: token(key=NEW)),
    "signed by another kind of key": ("invalid", lambda: token(key=CURVE, key_id="old", algorithm="ES256")),
    "with another's signature": ("signature", lambda: f"{token().rpartition('.')[0]}.{token({'sub': 'bob'}).rpartition('.')[2]}"),
    "expired": ("expired", lambda: token({"exp": now(-60)})),
    "early": ("not_yet_valid", lambda: token({"nbf": now(600)})),
    "for others": ("audience", lambda: token({"aud": "inventory"})),
    "for nobody": ("missing_claim", lambda: token({"aud": None})),
    "for ever": ("missing_claim", lambda: token({"exp": None})),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", REFUSED)
def test_a_token_that_is_refused_has_a_reason(case, check, tokens):
    reason, make = REFUSED[case]
    with capture() as telemetry:
        with pytest.raises(TokenRejectedError) as caught:
            check(tokens, make())
        assert caught.value.reason == reason
        points = [point for point in telemetry.metrics["auth.tokens.validated"] if point["attributes"]["outcome"] == "failed"]
        assert [(point["attributes"]["reason"], point["value"]) for point in points] == [(reason, 1)]
        assert points[0]["attributes"]["issuer"] in ("login", "_OTHER")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_somebody_sends_as_a_token_raises_anything_else(name, tokens):
    """B5."""
    with capture(), pytest.raises(TokenRejectedError):
        tokens.validate(HOSTILE[name])


def test_no_token_is_in_anything_that_leaves(tokens, server, caplog):
    """C1."""
    caplog.set_level(logging.DEBUG)
    given = [token(), token(key=NEW), token({"exp": now(-60)}), token(key_id="kid-of-a-secret")]
    with capture({"logs": {"level": "DEBUG"}}) as telemetry:
        tokens.validate(given[0])
        for each in given[1:]:
            with telemetry.runtime.tracer.start_as_current_span("request"):
                with pytest.raises(TokenRejectedError) as caught:
                    tokens.validate(each)
                logging.getLogger("shop").error("refused", exc_info=caught.value)
        said = [event for span in telemetry.spans for event in span["events"]]
        assert [event["name"] for event in said] == ["auth.token.rejected"] * 3
        everything = "".join(str(output) for _, output in telemetry.outputs()) + caplog.text
    for each in given:
        for part in each.split(".")[1:]:
            assert part not in everything
    assert "kid-of-a-secret" not in everything
    assert "alice" not in everything


def test_keys_are_fetched_once_and_again_when_they_are_old(server, clock):
    keys = Keys(server.url, fresh_for=300, clock=clock)
    for _ in range(5):
        keys.get("old")
    assert server.asked == 1
    clock.now += 300
    keys.get("old")
    assert server.asked == 2


def test_a_key_that_was_rotated_is_found_at_once_and_the_old_one_is_gone(server, clock, tokens):
    tokens.validate(token())
    server.keys = [public("new", NEW)]
    clock.now += 10
    assert tokens.validate(token(key=NEW, key_id="new"))["sub"] == "alice"
    with pytest.raises(TokenRejectedError, match="unknown key"):
        tokens.validate(token())
    assert server.asked == 2


def test_made_up_key_ids_do_not_load_the_issuer(server, clock):
    keys = Keys(server.url, least_between=10, clock=clock)
    for number in range(100):
        with pytest.raises(UnknownKeyError):
            keys.get(f"made up {number}")
    assert server.asked == 1
    clock.now += 10
    with pytest.raises(UnknownKeyError):
        keys.get("made up")
    assert server.asked == 2


def away(server: IssuerServer) -> None:
    server.status = 500


def redirecting(server: IssuerServer) -> None:
    server.status = 302


def talking(server: IssuerServer) -> None:
    server.body = b'{"keys": []}' + b" " * 300_000


def stammering(server: IssuerServer) -> None:
    server.body = b"<html>"


def keyless(server: IssuerServer) -> None:
    server.body = b'{"keys": [{"kty": "unheard of"}]}'


def listing(server: IssuerServer) -> None:
    server.body = b"[]"


@pytest.mark.parametrize("trouble", [away, redirecting, talking, stammering, keyless, listing])
def test_while_the_issuer_is_in_trouble_its_old_keys_serve(trouble, server, clock, caplog):
    keys = Keys(server.url, fresh_for=300, stale_for=1000, clock=clock)
    with capture() as telemetry:
        keys.get("old")
        trouble(server)
        clock.now += 400
        for _ in range(3):
            assert keys.get("old").key_id == "old"
            clock.now += 20
        assert values(telemetry, "auth.jwks.refreshes") == {("ok",): 1, ("failed",): 3}
        clock.now += 1000
        with pytest.raises(KeysUnavailableError):
            keys.get("old")
        server.status, server.body = 200, None
        clock.now += 10
        assert keys.get("old").key_id == "old"
    said = [record.getMessage() for record in caplog.records if record.name == "otelkit.auth"]
    assert len(said) == 1
    assert said[0].startswith("The keys of 127.0.0.1 could not be fetched: ")


def test_an_issuer_that_nobody_reaches_is_our_trouble_and_asked_now_and_then(clock):
    tokens = TokenValidator(Issuer("login", LOGIN, "orders", Keys("http://127.0.0.1:1/jwks.json", clock=clock)))
    with capture() as telemetry:
        for _ in range(5):
            with pytest.raises(TokenRejectedError) as caught:
                tokens.validate(token())
            assert caught.value.reason == "keys_unavailable"
        assert values(telemetry, "auth.jwks.refreshes")["failed",] == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "data:,{}", "jwks.json", ""])
def test_keys_come_from_the_web_alone(url):
    with pytest.raises(ValueError, match="Keys are fetched by https"):
        Keys(url)


def test_a_validator_that_would_believe_everybody_cannot_be_made():
    """A23."""
    with pytest.raises(ValueError, match="takes one Issuer or more"):
        TokenValidator()
    for algorithm in ("none", "HS256"):
        with pytest.raises(ValueError, match=f"Issuer 'login': {algorithm} is no algorithm with a public key"):
            TokenValidator(Issuer("login", LOGIN, "orders", "https://login.example/jwks.json", algorithms=(algorithm,)))


@pytest.mark.parametrize(
    ("header", "found"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("Bearer ", None), ("", None)],
)
def test_the_token_of_a_request_is_that_of_its_authorization_header(header, found):
    assert auth.bearer(RequestFactory().get("/", headers={"Authorization": header})) == found


def sign_in(request: Any) -> HttpResponse:
    user = authenticate(request, username="alice", password=request.GET["password"])
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    logout(request)
    return HttpResponse()


def denied(request: Any) -> HttpResponse:
    raise PermissionDenied("alice may not")


async def async_denied(request: Any) -> HttpResponse:
    raise PermissionDenied("alice may not")


def forbidden(request: Any, pk: int) -> HttpResponse:
    return HttpResponseForbidden()


class Orders(APIView):
    authentication_classes = ()

    def get(self, request: Any) -> HttpResponse:
        self.permission_denied(request)
        raise AssertionError


URLS = [
    path("rest/orders", Orders.as_view()),
    path("sign-in", sign_in),
    path("denied", denied),
    path("async/denied", async_denied),
    path("forbidden/<int:pk>", forbidden),
]


@pytest.fixture
def alice() -> Iterator[Any]:
    from django.contrib.auth.models import User

    user = User.objects.create_user("alice", password="hunter2")
    yield user
    user.delete()


def test_log_ins_and_failures_are_counted_without_a_name(alice):
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]
    with capture() as telemetry, serving(URLS, middleware=middleware):
        client = Client()
        assert client.get("/sign-in", {"password": "hunter2"}).status_code == 200
        for _ in range(2):
            assert client.get("/sign-in", {"password": "wrong"}).status_code == 401
        assert telemetry.point("auth.attempts", method="password", outcome="ok")["value"] == 1
        assert telemetry.point("auth.attempts", method="password", outcome="failed", reason="credentials")["value"] == 2
        events = [event["name"] for span in telemetry.spans for event in span["events"]]
        assert events.count("auth.failed") == 2
        assert events.count("auth.logged_out") == 1
        assert "hunter2" not in str(telemetry.metrics)


@pytest.mark.parametrize("ask", BOTH)
def test_refused_requests_are_counted_by_route_and_once(ask):
    with capture() as telemetry, serving(URLS):
        assert ask("/denied").status_code == 403
        assert ask("/async/denied").status_code == 403
        for number in range(3):
            assert ask(f"/forbidden/{number}").status_code == 403
        assert ask("/nowhere").status_code == 404
        assert ask("/rest/orders").status_code == 403
        assert values(telemetry, "permission.denied") == {
            ("/rest/orders",): 1,
            ("/denied",): 1,
            ("/async/denied",): 1,
            ("/forbidden/{pk}",): 3,
        }


@pytest.mark.parametrize("ask", BOTH)
def test_csrf_failures_are_counted_and_are_no_denied_permission(ask):
    from django.conf import settings

    def post(path: str) -> int:
        client = Client(enforce_csrf_checks=True) if ask is ask_sync else None
        if client is not None:
            return int(client.post(path).status_code)
        from django.test import AsyncClient

        return int(asyncio.run(AsyncClient(enforce_csrf_checks=True).post(path)).status_code)

    with capture() as telemetry, serving(URLS, middleware=["django.middleware.csrf.CsrfViewMiddleware"]):
        assert settings.MIDDLEWARE[-1].endswith("CsrfViewMiddleware")
        assert values(telemetry, "csrf.failures") == {(): 0}
        assert post("/denied") == 403
        assert values(telemetry, "csrf.failures") == {(): 1}
        assert values(telemetry, "permission.denied") == {}


def test_after_stop_nobody_listens():
    """A26."""
    from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

    watched = [logging.getLogger("django.request"), logging.getLogger("django.security.csrf")]
    before = [list(logger.filters) for logger in watched], [len(s.receivers) for s in (user_logged_in, user_logged_out, user_login_failed)]
    with capture():
        assert [list(logger.filters) for logger in watched] != before[0]
    after = [list(logger.filters) for logger in watched], [len(s.receivers) for s in (user_logged_in, user_logged_out, user_login_failed)]
    assert after == before


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_reported_can_raise(name):
    """B5."""
    value = HOSTILE[name]

    def report() -> None:
        auth.attempted(value, value)
        auth.token_validated(value, value)
        auth.permission_denied(value)

    report()
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("hostile"):
        report()
        assert telemetry.metrics["auth.attempts"]
