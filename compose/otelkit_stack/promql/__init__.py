"""PromQL: the query language of Prometheus 3, over any store that can select series.

From text to tree: ``tokens``, ``grammar``, ``checks``, ``preparation``. From stored samples to vectors at every step of a query at
once: ``samples``, ``selecting``, ``ranging``, ``evaluator``. The public doors are here.

Where it differs from Prometheus 3.14: there are no native histograms; ``max_samples`` counts series times steps; regular expressions
know no Unicode classes (``\\pL``) and no flag ``U``, and say so; and four mistakes are not repeated: an annotation about a subquery names
its own place, repaired histograms are counted once, ``timestamp(x @ 1 offset 1m)`` looks where it should, and so does a subquery with
``@`` beside an argument that changes from step to step.
"""

from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.limits import Cancellation, Options
from otelkit_stack.promql.results import MatrixAnswer, Result, ScalarAnswer, StringAnswer, VectorAnswer
from otelkit_stack.promql.storage import STALE, MemoryStorage, Series, Storage
from otelkit_stack.selectors.matchers import Matcher

__all__ = [
    "STALE",
    "Cancellation",
    "Engine",
    "Labels",
    "Matcher",
    "MatrixAnswer",
    "MemoryStorage",
    "Options",
    "QueryError",
    "Result",
    "ScalarAnswer",
    "Series",
    "Storage",
    "StringAnswer",
    "VectorAnswer",
]
