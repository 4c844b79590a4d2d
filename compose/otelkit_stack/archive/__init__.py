"""What a stack holds as OTLP's JSON in a zip file, to be attached to an issue and looked at elsewhere.

``traces.jsonl``, ``logs.jsonl`` and ``metrics.jsonl`` hold one request of OTLP/HTTP a line, as the Collector's file exporter writes them.
"""
