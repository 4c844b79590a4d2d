"""TraceQL, Tempo's query language, over the spans of the store: grammar, pipeline of a trace, numbers over time.

``parsing.parse`` gives a tree, ``search.search`` and ``metrics.query_range`` its answer. Source: Grafana Tempo 3.1, whose grammar and
operators are those of Tempo 2.x and a little more.
"""
