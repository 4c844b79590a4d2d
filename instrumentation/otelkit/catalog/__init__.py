"""The facts every room starts from: metrics, labels, boards, objectives, and their Prometheus spelling.

Standard library only, so that boards and rules are generated without Django or OpenTelemetry installed.
"""
