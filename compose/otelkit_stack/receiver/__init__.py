"""OTLP/HTTP, from the bytes of a request to rows: traces, metrics and logs.

Source: OTLP 1.9 (opentelemetry-proto, "OTLP/HTTP"), protobuf and JSON encoding, gzip.
"""
