"""Lines as Loki's answers hold them: in streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otelkit_stack.logql.evaluation import streams
from otelkit_stack.logql.frames import Labels
from otelkit_stack.logql.line import Line, Origin

CATEGORIZE = "categorize-labels"
"""The encoding flag by which a client asks to be told where a label comes from."""


def in_streams(found: Sequence[Line], *, is_categorized: bool) -> list[dict[str, Any]]:
    """Lines by all their labels; categorized, by those of the stream alone, with the others beside each line."""
    if not is_categorized:
        return [
            {"stream": dict(labels), "values": [[str(line.time_ns), line.text] for line in of_stream]}
            for labels, of_stream in streams(found)
        ]
    by_stream: dict[Labels, list[list[object]]] = {}
    for line in found:
        stream = tuple(sorted(line.of_origin(Origin.STREAM).items()))
        by_stream.setdefault(stream, []).append([str(line.time_ns), line.text, _categories(line)])
    return [{"stream": dict(stream), "values": values} for stream, values in by_stream.items()]


def _categories(line: Line) -> dict[str, dict[str, str]]:
    parsed = line.of_origin(Origin.PARSED)
    if line.error:
        parsed |= {"__error__": line.error, "__error_details__": line.error_details}
    found = {"structuredMetadata": line.of_origin(Origin.METADATA), "parsed": parsed}
    return {name: labels for name, labels in found.items() if labels}
