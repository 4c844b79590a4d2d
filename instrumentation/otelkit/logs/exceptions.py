"""What a line says about an exception: type, message, stack, and a fingerprint that groups equal ones.

Values of local variables are never part of it.
"""

from __future__ import annotations

import sysconfig
import textwrap
import traceback
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import FrameType, TracebackType

from otelkit.catalog import logs as keys
from otelkit.plain_values import CONTAINERS, Cleaner, truncated, well_formed
from otelkit.redaction import redact_code, redact_text
from otelkit.safe_text import safe_text

LONGEST_MESSAGE = 4_096
LONGEST_STACKTRACE = 16_384
"""Characters. Of a longer one the beginning and, three times as much, the end is kept: what raised stands at the end."""
MOST_FRAMES = 64
"""Frames of one exception, nearest to where it was raised."""
_LONGEST_CHAIN = 8
_MOST_MEMBERS = 5
_DEEPEST_GROUP = 3

_CAUSED = "\nThe above exception was the direct cause of the following exception:\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n"


def describe_exception(error: BaseException) -> dict[str, str]:
    """The ``exception.*`` keys and ``error.fingerprint`` of an exception."""
    return {
        keys.EXCEPTION_TYPE: well_formed(type_name(type(error))),
        keys.EXCEPTION_MESSAGE: message_of(error),
        keys.EXCEPTION_STACKTRACE: well_formed(stacktrace(error)),
        keys.ERROR_FINGERPRINT: fingerprint(error),
    }


def type_name(kind: type) -> str:
    """Module and qualified name, without the module for Python's own: ``ValueError``, ``app.errors.OutOfStock``."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def stacktrace(error: BaseException) -> str:
    """The stack as Python prints it, causes first; secrets are taken out of messages and of literals in the lines of code."""
    text = "\n".join(_format(error, depth=0))
    if len(text) <= LONGEST_STACKTRACE:
        return text
    head, tail = text[: LONGEST_STACKTRACE // 4], text[-LONGEST_STACKTRACE * 3 // 4 :]
    return f"{head}\n... [truncated, {len(text)} characters]\n{tail}"


def fingerprint(error: BaseException) -> str:
    """16 hex digits that stay equal while the code around the error moves.

    Made of the exception's type and of module and function of each frame in the project's own code, without line numbers.
    """
    frames = [
        (frame.f_code.co_filename, frame.f_globals.get("__name__"), frame.f_code.co_qualname) for frame in _frames(error.__traceback__)
    ]
    own = [frame for frame in frames if _is_own_code(frame[0])]
    parts = [type_name(type(error)), *(f"{module}.{function}" for _, module, function in own or frames[-1:])]
    return blake2b("\n".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    return (frame for frame, _ in traceback.walk_tb(trace))


def message_of(error: BaseException) -> str:
    """``str(error)`` without secrets, and bounded, also where it raises or would print a container without end."""
    if type(error).__str__ is BaseException.__str__ and any(type(arg) in CONTAINERS for arg in error.args):
        # Its own str() would print the container whole.
        text = safe_text(Cleaner().value(error.args[0] if len(error.args) == 1 else error.args))
    else:
        text = safe_text(error)
    return redact_text(well_formed(truncated(text, LONGEST_MESSAGE)))


def _format(error: BaseException, depth: int) -> Iterator[str]:
    for link, member in _chain(error):
        if link:
            yield link
        # Looked up line by line from the cache of sources; locals are not captured.
        frames = traceback.StackSummary.extract(traceback.walk_tb(member.__traceback__), limit=-MOST_FRAMES)
        if frames:
            summary = traceback.StackSummary.from_list(
                [(frame.filename, frame.lineno or 0, frame.name, redact_code(frame.line or "")) for frame in frames]
            )
            yield "Traceback (most recent call last):"
            yield "".join(summary.format()).rstrip("\n")
        message = message_of(member)
        yield f"{type_name(type(member))}: {message}" if message else type_name(type(member))
        for note in _notes(member):
            yield redact_text(well_formed(truncated(note, LONGEST_MESSAGE)))
        if isinstance(member, BaseExceptionGroup) and depth < _DEEPEST_GROUP:
            for number, inner in enumerate(member.exceptions[:_MOST_MEMBERS], start=1):
                yield f"  [{number} of {len(member.exceptions)}]"
                yield textwrap.indent("\n".join(_format(inner, depth + 1)), "    ")


def _chain(error: BaseException) -> list[tuple[str, BaseException]]:
    """The exception and what led to it, oldest first, each with the sentence that joins it to the one before."""
    chain: list[tuple[str, BaseException]] = []
    seen: set[int] = set()
    member: BaseException | None = error
    while member is not None and id(member) not in seen and len(chain) < _LONGEST_CHAIN:
        seen.add(id(member))
        before = member.__cause__ or (None if member.__suppress_context__ else member.__context__)
        link = _CAUSED if member.__cause__ is not None else _DURING
        chain.append((link if before is not None and id(before) not in seen and len(chain) + 1 < _LONGEST_CHAIN else "", member))
        member = before
    return chain[::-1]


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", ())
    return [safe_text(note) for note in notes[:_LONGEST_CHAIN]] if isinstance(notes, (list, tuple)) else []


_FOREIGN_FOLDERS = (
    "<frozen",
    str(Path(__file__).parents[1]),
    *(path for name in ("stdlib", "platstdlib") if (path := sysconfig.get_path(name))),
)


@lru_cache(maxsize=4096)
def _is_own_code(filename: str) -> bool:
    return not (filename.startswith(_FOREIGN_FOLDERS) or "site-packages" in filename or "dist-packages" in filename)
