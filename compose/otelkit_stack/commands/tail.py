"""``otelkit tail``: log lines as they arrive."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.parse
from collections.abc import Sequence

from otelkit_stack import TOKEN_VARIABLE
from otelkit_stack.commands.asking import CommandError, add_url, authorization
from otelkit_stack.commands.query import lines_of

_EVERYTHING = '{service_name=~".+"}'
_LONGEST_MESSAGE = 64 * 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints lines until Ctrl-C or the stack ends; the exit code is 1 where it could not begin."""
    parser = argparse.ArgumentParser(prog="otelkit tail", description="Follow the log lines that a stack receives.")
    parser.add_argument("query", nargs="?", default=_EVERYTHING, help='LogQL, such as \'{service_name="orders"} |= "error"\' (all lines)')
    parser.add_argument("--limit", type=int, default=10, metavar="N", help="lines from before to begin with (%(default)s)")
    add_url(parser)
    options = parser.parse_args(arguments)
    try:
        _follow(options.url, options.query, options.limit)
    except CommandError as error:
        print(f"otelkit tail: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _follow(url: str, query: str, limit: int) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
    from websockets.sync.client import connect

    asked = urllib.parse.urlencode({"query": query, "limit": limit})
    address = f"{url.rstrip('/').replace('http', 'ws', 1)}/loki/api/v1/tail?{asked}"
    try:
        with connect(address, max_size=_LONGEST_MESSAGE, additional_headers=authorization()) as socket:
            for message in socket:
                for _, line in sorted(lines_of(json.loads(message)["streams"])):
                    print(line, flush=True)
    except ConnectionClosed as error:
        reason = error.rcvd.reason if error.rcvd else ""
        raise CommandError(reason or f"{url} has ended the connection.") from error
    except InvalidStatus as error:
        hint = f" Does it ask for a token? Put it into {TOKEN_VARIABLE}." if error.response.status_code in (401, 403) else ""
        raise CommandError(f"{url} refused with {error.response.status_code}.{hint}") from error
    except (OSError, InvalidHandshake, InvalidURI) as error:
        raise CommandError(f"Nothing can be followed at {url}: {error}. Start a stack with `otelkit stack`, or give --url.") from error


if __name__ == "__main__":
    sys.exit(main())
