"""The boards: what you look at. Python here, JSON for Grafana in ``generated``.

``every_query`` is the public face for whoever wants to evaluate what the boards ask.
"""

from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.queries import PanelQuery, every_query

__all__ = ["BOARDS", "PanelQuery", "every_query"]
