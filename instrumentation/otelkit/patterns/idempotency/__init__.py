"""Idempotency keys: a request that is sent twice is done once, and answered twice (draft-ietf-httpapi-idempotency-key-header-07).

from otelkit.patterns.idempotency import idempotent

@idempotent()  # a view function, sync or async; a class of views or a viewset: @method_decorator(idempotent(), name="dispatch")
def create_order(request): ...

Kept in one of Django's caches, which all workers must share; ``add()`` decides who is first. A cache that forgets early, or is away, means
that a request may be done twice, as without a key: it never means that one is refused.

``@idempotent(store="database")`` keeps them in a table instead, in the transaction of the work: key, work and answer are committed together
or not at all. For that the package is an app: ``INSTALLED_APPS = ["otelkit", "otelkit.patterns.idempotency", ...]``.
"""

from otelkit.patterns.idempotency.answering import HEADER, LARGEST_ANSWER, LONGEST_KEY, REPLAYED
from otelkit.patterns.idempotency.recording import counted
from otelkit.patterns.idempotency.view import idempotent, whose

__all__ = ["HEADER", "LARGEST_ANSWER", "LONGEST_KEY", "REPLAYED", "counted", "idempotent", "whose"]
