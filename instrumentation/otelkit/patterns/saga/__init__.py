"""Sagas: a business transaction over several services, step by step, and back again where a step fails.

A Django app of its own: ``INSTALLED_APPS = ["otelkit", "otelkit.patterns.saga", ...]``. Where a saga stands is a row, so it survives every
restart. It works with the kit off, too. Whoever has an orchestrator already calls :mod:`otelkit.patterns.saga.telemetry` alone.
"""

from otelkit.patterns.saga.defining import Saga
from otelkit.patterns.saga.parts import WAIT, SagaError, Step

__all__ = ["WAIT", "Saga", "SagaError", "Step"]
