"""Questions over HTTP, as the commands put them."""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from otelkit_stack import TOKEN_VARIABLE

DEFAULT_URL = "http://127.0.0.1:4318"
_TIMEOUT_S = 150.0
"""Longer than a query may take."""


class CommandError(Exception):
    """What went wrong, as one sentence for the person at the shell."""


def add_url(parser: argparse.ArgumentParser) -> None:
    """``--url``, of a stack, or of a Prometheus, Loki or Tempo."""
    parser.add_argument("--url", default=DEFAULT_URL, help="where to ask: a stack, or a Prometheus, Loki or Tempo (%(default)s)")


def ask(url: str, path: str, parameters: Mapping[str, object]) -> Any:
    """The JSON that the path answers. Raises CommandError with what the server said, or why it cannot be reached."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise CommandError(f"--url {url} begins neither with http:// nor with https://.")
    address = f"{url.rstrip('/')}{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(with_token(urllib.request.Request(address)), timeout=_TIMEOUT_S) as answer:  # noqa: S310  (checked above)
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise CommandError(_reason(error.code, error.read().decode(errors="replace"), path)) from error
    except urllib.error.URLError as error:
        raise CommandError(f"Nothing answers at {url}: {error.reason}. Start a stack with `otelkit stack`, or give --url.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise CommandError(f"{url} gave no answer that could be read: {error}") from error


def authorization() -> dict[str, str]:
    """The header with the token of the environment, for a stack that asks for one; none where there is no token."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    return {"Authorization": f"Bearer {token}"} if token else {}


def with_token(request: urllib.request.Request) -> urllib.request.Request:
    """The request with the token, if there is one: for this address, not for one that it redirects to."""
    for name, value in authorization().items():
        request.add_unredirected_header(name, value)
    return request


def _reason(code: int, text: str, path: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        pass
    return f"There is nothing at {path} ({code})." if code == 404 else text.strip() or f"The answer was {code}."
