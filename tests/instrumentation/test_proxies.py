"""Behind a proxy: forwarded headers count where Django's own settings say so, and nowhere else."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from otelkit.config import load
from otelkit.request.addresses import client_address_reader, pseudonym
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH

FORWARDED = {
    "host": "internal.example:8000",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "shop.example",
    "x-forwarded-port": "8443",
    "x-forwarded-for": "203.0.113.9",
    "forwarded": "for=203.0.113.9;proto=https;host=shop.example",
}


def attributes(ask, headers=FORWARDED, peer="10.0.0.1", **requests):
    with capture({"requests": requests}) as telemetry:
        assert ask("/items/7", headers=headers, peer=peer).status_code in (200, 400)
        (span,) = telemetry.spans
        (point,) = telemetry.metrics["http.server.request.duration"]
        assert point["attributes"]["url.scheme"] == span["attributes"]["url.scheme"]
    return span["attributes"]


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"])
def test_forwarded_headers_are_not_believed_by_default(ask):
    """A16."""
    found = attributes(ask)
    assert (found["url.scheme"], found["server.address"], found["server.port"]) == ("http", "internal.example", 8000)
    assert "client.address" not in found


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"], SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
def test_the_scheme_follows_djangos_setting(ask):
    """A16."""
    assert attributes(ask)["url.scheme"] == "https"
    assert attributes(ask, {**FORWARDED, "x-forwarded-proto": "http"})["url.scheme"] == "http"


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"], USE_X_FORWARDED_HOST=True)
def test_the_address_follows_djangos_setting(ask):
    """A16."""
    found = attributes(ask)
    assert found["server.address"] == "shop.example"
    assert "server.port" not in found


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"], USE_X_FORWARDED_HOST=True, USE_X_FORWARDED_PORT=True)
def test_the_port_follows_djangos_setting(ask):
    """A16."""
    assert attributes(ask)["server.port"] == 8443
    for port in ("http", "99999999", "-1", "\u00b2"):
        assert "server.port" not in attributes(ask, {**FORWARDED, "x-forwarded-port": port})


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["shop.example"], USE_X_FORWARDED_HOST=True)
def test_a_forwarded_host_that_is_not_allowed_is_recorded_nowhere(ask):
    """A9, A16: the socket's own address is."""
    found = attributes(ask, {**FORWARDED, "x-forwarded-host": "evil.example"})
    assert found["http.response.status_code"] == 400
    assert "evil" not in str(found)


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"], SECURE_PROXY_SSL_HEADER=("one", "two", "three"))
def test_a_setting_that_django_refuses_is_djangos_to_refuse(ask):
    """B6: a request that Django answers with its own complaint, or not at all, is told as any other."""

    def answer() -> int:
        try:
            return int(ask("/items/7").status_code)
        except ImproperlyConfigured:  # Django 4.2 complains again while it writes the mail about it
            return 500

    without = answer()
    with capture() as telemetry:
        assert answer() == without
        (span,) = telemetry.spans
    assert (span["attributes"]["url.scheme"], span["attributes"]["http.response.status_code"]) == ("http", without)


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"])
def test_an_address_of_version_6_has_no_brackets(ask):
    found = attributes(ask, {"host": "[2001:db8::1]:8000"})
    assert (found["server.address"], found["server.port"]) == ("2001:db8::1", 8000)
    assert attributes(ask, {"host": "[2001:db8::1]"})["server.address"] == "2001:db8::1"


@pytest.mark.parametrize("ask", BOTH)
@override_settings(ALLOWED_HOSTS=["*"])
def test_the_clients_address_is_recorded_as_the_setting_says(ask):
    """A16: the socket's other end, whatever the headers claim."""
    assert "client.address" not in attributes(ask)
    assert attributes(ask, peer="198.51.100.77", client_address="full")["client.address"] == "198.51.100.77"
    assert attributes(ask, peer="198.51.100.77", client_address="truncated")["client.address"] == "198.51.100.0"
    hashed = attributes(ask, peer="198.51.100.77", client_address="hashed")["client.address"]
    assert hashed == pseudonym("client.address", "198.51.100.77")
    assert len(hashed) == 16


@pytest.mark.parametrize(
    ("proxies", "forwarded", "peer", "recorded"),
    [
        (0, "203.0.113.9", "10.0.0.1", "10.0.0.1"),
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "1.2.3.4, 203.0.113.9", "10.0.0.1", "203.0.113.9"),  # what a client claims stands before what our proxy saw
        (2, "1.2.3.4, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1", "10.0.0.1"),  # past the first proxy: only the socket is left
        (1, "", "10.0.0.1", "10.0.0.1"),
        (1, "<script>", "10.0.0.1", None),
        (1, "unknown", "10.0.0.1", None),
        (1, "203.0.113.9:4711", "10.0.0.1", None),
        (0, "", "", None),
        (0, "", "::ffff:203.0.113.9", "203.0.113.9"),
        (0, "", "fe80::1%eth0", "fe80::1"),
    ],
)
def test_a_forwarded_client_counts_as_far_as_our_own_proxies_reach(proxies, forwarded, peer, recorded):
    """A16."""
    read = client_address_reader(load({"requests": {"client_address": "full", "proxies": proxies}}, {}).requests)
    assert read is not None
    assert read({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}) == recorded


def test_an_address_of_version_6_is_truncated_to_its_network():
    read = client_address_reader(load({"requests": {"client_address": "truncated"}}, {}).requests)
    assert read is not None
    assert read({"REMOTE_ADDR": "2001:db8:1:2:3::4"}) == "2001:db8:1::"


def test_a_pseudonym_depends_on_the_projects_secret():
    pseudonym.cache_clear()
    first = pseudonym("user.id", "7")
    pseudonym.cache_clear()
    with override_settings(SECRET_KEY="another"):
        assert pseudonym("user.id", "7") != first
    pseudonym.cache_clear()
