"""Recording metrics: business metrics that a project declares here, an aggregator for the hot path, and the pull road.

from otelkit import metrics

orders = metrics.counter("business.orders", unit="{order}", help="Orders taken.", labels={"channel": ("web", "app")})
orders.add(1, channel="web")
"""

from otelkit.metrics.business import BusinessCounter, BusinessGauge, BusinessHistogram, counter, gauge, histogram

__all__ = ["BusinessCounter", "BusinessGauge", "BusinessHistogram", "counter", "gauge", "histogram"]
