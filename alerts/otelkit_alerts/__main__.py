"""``python -m otelkit_alerts render``: writes the rules, their tests and what the documents say about them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from otelkit_alerts.links import Links
from otelkit_alerts.render import differences, generated, left_over, refreshed

ROOM = Path(__file__).resolve().parents[1]
"""The folder ``alerts`` of the repository; an installed package has none, and ``--out`` says where to write."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when done or fresh, 1 when ``--check`` found differences."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.out is None:
        if not (ROOM / "runbooks").is_dir():
            parser.error("this is not a checkout of otelkit, so there is no folder to refresh; say where to write with --out DIR")
        options.out = ROOM / "generated"
    links = Links(grafana=options.grafana.rstrip("/"), runbooks=options.runbooks.rstrip("/"))
    # Runbooks and README are written by people; only their home is refreshed.
    at_home = options.out == ROOM / "generated"
    files = generated(links)
    documents = refreshed(ROOM) if at_home else {}
    old = left_over(options.out, files)
    if options.check:
        complaints = [*differences(options.out, files), *differences(ROOM, documents), *(f"{path} is left over." for path in old)]
        for line in complaints:
            print(f"{line} Run: python -m otelkit_alerts render", file=sys.stderr)
        return 1 if complaints else 0
    for path in old:
        path.unlink()
    for path, text in [
        *((options.out / name, text) for name, text in files.items()),
        *((ROOM / name, text) for name, text in documents.items()),
    ]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"{len(files)} files are rendered into {options.out}, and {len(documents)} documents beside it are refreshed.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m otelkit_alerts", description="Renders the alerts of otelkit.")
    render = parser.add_subparsers(required=True, metavar="render").add_parser("render", help="write every generated file")
    render.add_argument("--out", type=_folder, metavar="DIR", help="where to write (default: alerts/generated)")
    render.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that differ")
    render.add_argument("--grafana", default=Links().grafana, metavar="URL", help="where the links to boards lead (default: %(default)s)")
    render.add_argument(
        "--runbooks", default=Links().runbooks, metavar="URL", help="where the links to runbooks lead (default: %(default)s)"
    )
    return parser


def _folder(text: str) -> Path:
    return Path(text).resolve()


if __name__ == "__main__":
    sys.exit(main())
