"""Where rule files are: those that come with the kit, and those of a folder."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from otelkit_stack.rules.errors import RuleFileError

_SUFFIXES = (".yaml", ".yml")
_FOLDERS = ("prometheus", "loki")


def shipped_rules(pace: str = "") -> Path | None:
    """The kit's own rule file, ``pace="demo"`` for the one with short windows; None where the kit was installed without its rules."""
    spec = find_spec("otelkit_alerts")  # found, not imported: the stack reads what the alerts generate, and knows nothing of them
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    name = f"otelkit.{pace}.rules.yaml" if pace else "otelkit.rules.yaml"
    # In the wheel the generated files are inside the package, in the repository beside it.
    places = (folder / "generated" / "prometheus" / name for folder in (package, package.parent))
    return next((place for place in places if place.is_file()), None)


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The files themselves, and of a folder those in it and in its folders ``prometheus`` and ``loki``, by name.

    Raises RuleFileError for a path that is not there, or a folder without rule files.
    """
    found: list[Path] = []
    problems: list[str] = []
    for path in paths:
        if path.is_dir():
            folders = (path, *(path / name for name in _FOLDERS))
            files = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if file.suffix in _SUFFIXES]
            if not files:
                problems.append(f"{path}: this folder holds no rule file (*.yaml, *.yml)")
            found += files
        elif path.exists():
            found.append(path)
        else:
            problems.append(f"{path}: there is no such file or folder of rules")
    if problems:
        raise RuleFileError(problems)
    return found
