"""Sends one marked request through the project and looks for it at every hop it should reach."""

from otelkit.doctor.hop import Hop, Outcome
from otelkit.doctor.steps import PATIENCE_SECONDS, STEPS, Step, examine, exit_code

__all__ = ["PATIENCE_SECONDS", "STEPS", "Hop", "Outcome", "Step", "examine", "exit_code"]
