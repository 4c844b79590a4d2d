"""``python -m otelkit_dashboards render``: writes the boards' JSON, or says how it differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.lint import lint
from otelkit_dashboards.render import GENERATED, README, difference, differences, with_table, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 where all is well, 1 where a board breaks a rule or a file is stale."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_dashboards", description="The boards of otelkit.")
    commands = parser.add_subparsers(dest="command", required=True)
    render = commands.add_parser("render", help="write the boards as JSON for Grafana")
    render.add_argument("--out", type=Path, metavar="DIR", help="folder to write to (in a checkout: dashboards/generated)")
    render.add_argument("--check", action="store_true", help="write nothing; show what differs and fail if anything does")
    options = parser.parse_args(arguments)

    findings = [finding for board in BOARDS for finding in lint(board)]
    if findings:
        print(*findings, sep="\n", file=sys.stderr)
        return 1
    if options.out is None and not README.exists():
        parser.error("the boards' sources are installed, not checked out: say where to write with --out DIR")
    folder = options.out or GENERATED
    return _check(folder, with_readme=options.out is None) if options.check else _write(folder, with_readme=options.out is None)


def _write(folder: Path, *, with_readme: bool) -> int:
    write(folder)
    if with_readme:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(BOARDS)} boards written to {folder}")
    return 0


def _check(folder: Path, *, with_readme: bool) -> int:
    readme = README.read_text(encoding="utf-8") if with_readme else ""
    table = difference(README.name, readme, with_table(readme)) if with_readme else iter(())
    stale = list(chain(differences(folder), table))
    if stale:
        print(*stale, sep="\n")
        print("The generated boards are stale: run `make generate`.", file=sys.stderr)
        return 1
    print(f"{len(BOARDS)} boards are fresh.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
