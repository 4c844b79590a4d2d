"""TraceQL, Tempo's query language, over the spans of the store: grammar, pipeline of a trace, numbers over time.

``parsing.parse`` gives a tree, ``search.search`` and ``metrics.over_time`` its answer. Source: Grafana Tempo 3.1, whose grammar and
operators are those of Tempo 2.x and a little more. Of several events or links of a span one is enough for any condition, ``!=`` included.

Where an answer is not Tempo's:

- powers of whole numbers are those of mathematics; Tempo swaps the sides;
- a regular expression that repeats a repetition is refused, because Python's engine could run for ever;
- a span that started more than ten minutes before a window does not bring its trace into it;
- names and values of tags come from the newest hundred thousand spans;
- hints (``with(...)``) change nothing: answers are exact, and begin with the newest trace.
"""
