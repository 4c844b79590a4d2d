"""Tables and sparklines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_BARS = "▁▂▃▄▅▆▇█"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Rows below a header, in columns; those named in ``right`` end at the same place. Empty columns are left out."""
    lines = [[printable(cell) for cell in row] for row in rows]
    kept = [at for at, name in enumerate(header) if not lines or any(line[at] for line in lines)]
    widths = {at: max(len(header[at]), *(len(line[at]) for line in lines)) if lines else len(header[at]) for at in kept}

    def written(line: Sequence[str]) -> str:
        cells = (line[at].rjust(widths[at]) if header[at] in right else line[at].ljust(widths[at]) for at in kept)
        return "  ".join(cells).rstrip()

    return "\n".join(map(written, (header, *lines)))


def sparkline(values: Sequence[float]) -> str:
    """The values as bars from the least to the greatest, a gap where there is none (NaN); level ones are drawn low."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    least, most = min(finite), max(finite)
    height = most / 2 - least / 2  # halves, because the whole may be more than a float holds
    bars = len(_BARS) - 1
    return "".join(
        " " if not math.isfinite(value) else _BARS[round((value / 2 - least / 2) / height * bars) if height else 0] for value in values
    )


def printable(text: str) -> str:
    """The text on one line, without what moves the cursor: it comes from whoever sent telemetry."""
    return "".join(character if character.isprintable() else " " if character.isspace() else "�" for character in text)


def clock(time_ns: int) -> str:
    """A moment as the local time of day with its date, to the millisecond."""
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}"


def number(text: str) -> str:
    """A sample's value in six digits."""
    value = float(text)
    return text if not math.isfinite(value) else f"{value:.6g}"
