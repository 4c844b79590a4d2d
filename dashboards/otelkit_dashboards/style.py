"""The house look: colours, sizes and words that every board shares."""

from __future__ import annotations

from typing import Final

from otelkit_dashboards.panels import Panel, Tone, Unit

MIN_STEP: Final = "15s"
"""The interval at which services export. As every query's smallest step it makes ``$__rate_interval`` at least four
samples wide, whatever the data source's own setting says."""

COLOURS: Final = {
    Tone.GOOD: "green",
    Tone.NEUTRAL: "blue",
    Tone.WARNING: "orange",
    Tone.BAD: "red",
    Tone.MUTED: "#8e8e8e",
}
"""Grafana's own named colours where there is one: they follow the light and the dark theme."""

PALETTE: Final = "palette-classic-by-name"
"""A series keeps its colour from panel to panel, because its name picks it."""

SIZES: Final = {
    "stat": (4, 4),
    "timeseries": (12, 8),
    "heatmap": (12, 8),
    "bargauge": (12, 8),
    "table": (24, 9),
    "logs": (24, 10),
    "trace list": (24, 8),
    "traces": (24, 14),
}
"""Width and height of each kind of panel in grid units; a board is 24 wide."""

DECIMALS: Final = {Unit.SHARE: 2, Unit.COUNT: None}
"""Digits after the point where Grafana's choice reads badly: 99.87 % and 99.9 % are different stories."""

LEGEND_COLUMNS: Final = ("mean", "max", "lastNotNull")
"""What the legend says of each series."""

FILL_OPACITY: Final = 10
STACKED_OPACITY: Final = 60
LINE_WIDTH: Final = 1

TAGS: Final = ("django", "opentelemetry", "otelkit")
"""Every board has them; the drop-down that leads from board to board lists what has the last one."""

REFRESH: Final = "1m"
"""More often than four exports shows nothing new."""

NO_TRAFFIC: Final = "no traffic"
"""Shown for NaN: a quantile of no requests is neither good nor bad."""


def size(panel: Panel) -> tuple[int, int]:
    """Width and height of the panel: its own, or its kind's."""
    width, height = SIZES[panel.kind]
    return panel.width or width, panel.height or height
