"""Metrics that have a name and no recorder: what the kit will call them, so that nobody spells them in another way meanwhile.

They are apart from :mod:`otelkit.catalog.metrics`, so that a board or a rule that draws one of these does not import. Who writes the
recorder moves the metric, with its labels, to the file of the same subject there; a test insists on it.
"""

from otelkit.catalog.ahead import service_graph
from otelkit.catalog.ahead.service_graph import *
from otelkit.catalog.ahead.spans import *
from otelkit.catalog.metrics.model import Metric, Subject, subject_of

SUBJECTS: tuple[Subject, ...] = (subject_of(service_graph),)

AHEAD: tuple[Metric, ...] = tuple(metric for subject in SUBJECTS for metric in subject.metrics)
"""Every metric that no service emits yet."""
