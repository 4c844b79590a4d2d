"""Tokens that a service keeps: replaced in time, and nobody waits or fails for a new one while the old one is good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from otelkit_demo.chassis.tokens import EARLY_SECONDS, TokenSource, TokenUnavailableError

FRESH, AGING, DEAD = 300.0, EARLY_SECONDS - 1, 0.0
"""Seconds that a token lives: longer than it is kept; so short that it is to be replaced at once, and good meanwhile; over."""


class Gateway:
    """Gives numbered tokens, each good for as long as it says at the moment."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.given, self.asked, self.is_up = seconds, 0, 0, True

    def fetch(self) -> tuple[str, float]:
        self.asked += 1
        if not self.is_up:
            raise TokenUnavailableError
        self.given += 1
        return f"token {self.given}", self.seconds


def test_a_token_is_kept_while_it_is_fresh():
    gateway = Gateway(FRESH)
    source = TokenSource(gateway.fetch)
    assert [source.token() for _ in range(3)] == ["token 1"] * 3


def test_an_aging_token_is_replaced():
    gateway = Gateway(AGING)
    source = TokenSource(gateway.fetch)
    assert source.token() == "token 1"
    gateway.seconds = FRESH
    assert [source.token() for _ in range(3)] == ["token 2"] * 3


def test_an_aging_token_serves_on_while_the_gateway_is_away_and_is_not_asked_for_each_time():
    gateway = Gateway(AGING)
    source = TokenSource(gateway.fetch)
    source.token()
    gateway.is_up = False
    assert [source.token() for _ in range(5)] == ["token 1"] * 5
    assert gateway.asked == 2


def test_a_token_that_is_over_is_not_shown():
    gateway = Gateway(DEAD)
    source = TokenSource(gateway.fetch)
    assert source.token() == "token 1"
    assert source.token() == "token 2"
    gateway.is_up = False
    with pytest.raises(TokenUnavailableError):
        source.token()


def test_a_token_that_was_refused_is_not_shown_again():
    gateway = Gateway(FRESH)
    source = TokenSource(gateway.fetch)
    source.token()
    source.forget()
    assert source.token() == "token 2"


def test_nobody_waits_for_somebody_else_s_new_token_while_the_old_one_is_good():
    asked, answered = Event(), Event()
    gateway = Gateway(AGING)

    def slowly() -> tuple[str, float]:
        if gateway.given:
            asked.set()
            assert answered.wait(30)
        return gateway.fetch()

    source = TokenSource(slowly)
    source.token()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(source.token)
        assert asked.wait(30)
        assert source.token() == "token 1"
        answered.set()
        assert waiting.result(30) == "token 2"
