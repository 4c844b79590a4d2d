"""``otelkit import``: sends what ``otelkit export`` wrote to a stack, or to any receiver of OTLP/HTTP."""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from otelkit_stack.commands.asking import DEFAULT_URL, CommandError, with_token
from otelkit_stack.commands.progress import Progress

_PATHS = {"traces.jsonl": "/v1/traces", "logs.jsonl": "/v1/logs", "metrics.jsonl": "/v1/metrics"}
_LONGEST_LINE = 64 * 1024 * 1024
_TIMEOUT_S = 30.0
_MOST_TRIES = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends the file, request by request; the exit code is 1 where that fails.

    A stack counts the spans that it is sent, so its span metrics show them as calls of now.
    """
    parser = argparse.ArgumentParser(prog="otelkit import", description="Send an exported file to a stack.")
    parser.add_argument("file", type=Path, metavar="FILE.zip")
    parser.add_argument("--url", default=DEFAULT_URL, help="receiver of OTLP/HTTP (%(default)s)")
    options = parser.parse_args(arguments)
    progress = Progress("Importing requests")
    refused: list[str] = []
    try:
        for path, line in _requests(options.file):
            refused += _send(options.url, path, line)
            progress.add(1)
        progress.end()
    except CommandError as error:
        print(f"otelkit import: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    print(f"{options.file}: {progress.count:,} requests were taken by {options.url}")
    for reason in dict.fromkeys(refused):
        print(f"not all of it: {reason}", file=sys.stderr)
    return 0


def _requests(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in _PATHS if name in archive.namelist()]
            if not names:
                raise CommandError(f"{file} holds none of {', '.join(_PATHS)}: it was not written by `otelkit export`.")
            for name in names:
                with archive.open(name) as lines:
                    while line := lines.readline(_LONGEST_LINE):
                        yield _PATHS[name], line
    except (OSError, zipfile.BadZipFile) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error


def _send(url: str, path: str, body: bytes) -> list[str]:
    """What the receiver did not take, in its words. Waits where it asks for it."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise CommandError(f"--url {url} begins neither with http:// nor with https://.")
    request = urllib.request.Request(url.rstrip("/") + path, body, {"Content-Type": "application/json"})  # noqa: S310  (checked above)
    with_token(request)
    for _ in range(_MOST_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  (checked above)
                partial = json.loads(answer.read() or b"{}").get("partialSuccess", {})
                return [partial["errorMessage"]] if partial.get("errorMessage") else []
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                    said = error.read(300).decode(errors="replace")
                    raise CommandError(f"{url}{path} answered {error.code}: {said}") from error
                waiting = error.headers.get("Retry-After", "1")
            time.sleep(min(int(waiting), 30) if waiting.isdecimal() else 1)
        except urllib.error.URLError as error:
            raise CommandError(f"Nothing answers at {url}: {error.reason}. Start a stack with `otelkit stack`, or give --url.") from error
        except (OSError, ValueError) as error:
            raise CommandError(f"{url} gave no answer that could be read: {error}") from error
    raise CommandError(f"{url} has been too busy for {_MOST_TRIES} tries.")


if __name__ == "__main__":
    sys.exit(main())
