"""``otelkit export``: what a stack holds, as OTLP's JSON in a zip file."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from otelkit_stack.archive.metrics import metric_requests
from otelkit_stack.archive.records import log_requests, span_requests
from otelkit_stack.commands.lengths import length_s
from otelkit_stack.commands.progress import Progress
from otelkit_stack.database import database_file, explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.otlp_json import Json
from otelkit_stack.queries import id_bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the file; the exit code is 1 where that fails, and there is no file then."""
    parser = argparse.ArgumentParser(prog="otelkit export", description="Write what a stack holds into a zip file, also while it runs.")
    parser.add_argument("file", type=Path, metavar="FILE.zip")
    parser.add_argument("--data", type=Path, default=Path("otelkit-data"), metavar="DIR", help="the stack's folder (%(default)s)")
    parser.add_argument("--since", type=length_s, metavar="TIME", help="only what is younger, such as 1h (everything)")
    parser.add_argument("--trace", type=_trace_id, metavar="ID", help="only the spans and log lines of one trace")
    options = parser.parse_args(arguments)
    since_ns = 0 if options.since is None else time.time_ns() - int(options.since * 1e9)
    part = options.file.with_name(options.file.name + ".part")
    try:
        with closing(open_reader(database_file(options.data))) as connection:
            counts = _write(part, connection, since_ns, options.trace)
        part.replace(options.file)
    except sqlite3.Error as error:
        return _failed(part, explain(error, database_file(options.data)))
    except StackError as error:
        return _failed(part, str(error))
    except OSError as error:
        return _failed(part, f"{options.file} cannot be written: {error.strerror or error}.")
    except KeyboardInterrupt:
        return _failed(part, "stopped.")
    print(f"{options.file}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}")
    return 0


def _write(file: Path, connection: sqlite3.Connection, since_ns: int, trace_id: bytes | None) -> dict[str, int]:
    parts: dict[str, tuple[str, Iterator[tuple[int, Json]]]] = {
        "spans": ("traces.jsonl", span_requests(connection, since_ns, trace_id)),
        "log lines": ("logs.jsonl", log_requests(connection, since_ns, trace_id)),
    }
    if trace_id is None:
        parts["points"] = ("metrics.jsonl", metric_requests(connection, since_ns))
    counts = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        about = {"format": "OTLP JSON, a request a line", "otelkit": version("otelkit"), "exported_at_unix": int(time.time())}
        archive.writestr("about.json", json.dumps(about, indent=2))
        for what, (name, requests) in parts.items():
            progress = Progress(f"Exporting {what}")
            with archive.open(name, "w", force_zip64=True) as out:
                for count, request in requests:
                    out.write(
                        json.dumps(request, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace") + b"\n"
                    )
                    progress.add(count)
            progress.end()
            counts[what] = progress.count
    return counts


def _failed(part: Path, reason: str) -> int:
    part.unlink(missing_ok=True)
    print(f"otelkit export: {reason}", file=sys.stderr)
    return 1


def _trace_id(text: str) -> bytes:
    found = id_bytes(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no trace id: it has up to 32 hexadecimal digits")
    return found


if __name__ == "__main__":
    sys.exit(main())
