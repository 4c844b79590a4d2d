"""Where the suites come from: the source distributions on the package index, which hold their tests, and an environment to run them in."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import venv
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
CACHE = PROJECT / ".suites"
"""Ignored by git; what is in it is fetched and made once for each version."""
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_CONSTRAINTS = PROJECT / "constraints.txt"


class SourceError(Exception):
    """The suites cannot be had, in words."""


def fetched(distribution: str) -> Path:
    """The unpacked source of a distribution, in the version that is installed here. Raises SourceError."""
    wanted = f"{distribution}=={version(distribution)}"
    place = CACHE / f"{distribution}-{version(distribution)}"
    if not (place / "PKG-INFO").exists():
        archives = CACHE / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        print(f"Fetching the source of {wanted} (once) ...", flush=True)
        # By pip: it knows the index that this machine uses, and compares the checksum.
        _pip(Path(sys.executable), "download", "--no-binary", distribution, "--no-deps", "--dest", str(archives), wanted)
        _unpack(_archive(archives, distribution), place)
    return place


def _archive(folder: Path, distribution: str) -> Path:
    # PEP 625 spells it in lower case with underscores; older archives as their project does.
    wanted = f"{distribution}-{version(distribution)}.tar.gz".lower().replace("-", "_")
    for path in folder.iterdir():
        if path.name.lower().replace("-", "_") == wanted:
            return path
    raise SourceError(f"pip fetched no source archive of {distribution} {version(distribution)} into {folder}.")


def _unpack(archive: Path, place: Path) -> None:
    unpacked = CACHE / f"unpacking-{place.name}"
    shutil.rmtree(unpacked, ignore_errors=True)
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4
    with tarfile.open(archive) as source:
        source.extractall(unpacked, **safely)
    shutil.rmtree(place, ignore_errors=True)
    (inner,) = unpacked.iterdir()
    inner.rename(place)  # as the last step, so that a place that is there is whole
    unpacked.rmdir()


def interpreter() -> Path:
    """Python in an environment of its own, with this checkout of the kit and what the suites need. Raises SourceError."""
    place = CACHE / "environment"
    python = place / "bin" / "python"
    distributions = [f"{name}=={version(name)}" for name in ("Django", "djangorestframework")]
    made_of = hashlib.sha256()
    for part in (sys.version, *distributions, *(path.read_text() for path in (_REQUIREMENTS, _CONSTRAINTS, PROJECT / "pyproject.toml"))):
        made_of.update(part.encode())
    mark = place / "made-of"
    if not mark.exists() or mark.read_text() != made_of.hexdigest():
        print(f"Setting up {place.relative_to(PROJECT)} (once, about a minute) ...", flush=True)
        venv.create(place, clear=True, with_pip=True)
        _pip(
            python,
            "install",
            "-c",
            str(_CONSTRAINTS),
            "-r",
            str(_REQUIREMENTS),
            "-e",
            f"{PROJECT}[fast]",
            "httpx",
            "requests",
            *distributions,
        )
        mark.write_text(made_of.hexdigest())
    return python


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check", *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise SourceError(f"`pip {' '.join(arguments)}` failed: {last[0]}\nThe suites need the package index, once for each version.")
