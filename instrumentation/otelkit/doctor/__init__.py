"""Sends one marked request through the project and looks for it at every hop it should reach."""

from otelkit.doctor.hops import Hop, examine

__all__ = ["Hop", "examine"]
