"""Series that were made before, by what they were made from: an exporter sends the same points again every few seconds.

Making the labels of a point, their JSON and its hash takes ten times as long as looking them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otelkit_stack.receiver.as_sent import Sent
from otelkit_stack.receiver.attributes import attributes_of
from otelkit_stack.receiver.series_labels import ResourceLabels, labels_of
from otelkit_stack.rows import SeriesRow, content_id, json_text

MOST_SERIES = 20_000
"""That are remembered: ten megabytes. Beyond it all are forgotten, and made again as they come."""


@dataclass(slots=True)
class KnownSeries:
    """Labels of points, with the series that have them. Safe to use from several threads."""

    _points: dict[Sent, dict[Sent, PointLabels]] = field(default_factory=dict)
    _made: int = 0

    def of(self, resource: Sent) -> dict[Sent, PointLabels]:
        """What is known of the points of a resource, by their attributes: to be looked up and completed with :meth:`made`."""
        points = self._points.get(resource)
        if points is None:
            points = self._points[resource] = {}
            self.count()
        return points

    def made(self, attributes: Sent, resource: ResourceLabels) -> PointLabels:
        """The labels of a point of a resource. Raises ValueError for an attribute without a usable name."""
        return PointLabels(labels_of(attributes_of(attributes), resource), self)

    def count(self) -> None:
        """Notes that a series, or a place for those of a resource, was made."""
        self._made += 1
        if self._made > MOST_SERIES:
            self._points.clear()
            self._made = 0


@dataclass(slots=True)
class PointLabels:
    """The labels of a point, and each series that has them, by its name and what its part of a histogram or summary adds."""

    _labels: Mapping[str, str]
    _known: KnownSeries
    _series: dict[tuple[str, str, str], SeriesRow] = field(default_factory=dict)

    def series(self, name: str, label: str = "", value: str = "") -> SeriesRow:
        """The series of that name with these labels, and one more where it is given."""
        key = name, label, value
        row = self._series.get(key)
        if row is None:
            row = self._series[key] = series_row(name, {**self._labels, label: value} if label else self._labels)
            self._known.count()
        return row


def series_row(name: str, labels: Mapping[str, str]) -> SeriesRow:
    """The dictionary entry of a series."""
    text = json_text(dict(sorted(labels.items())))
    return SeriesRow(content_id("series", name, text), name, text)
