"""LogQL, Loki's query language, over the log records of the store: grammar, pipeline of a line, aggregation over time.

``parse`` gives a tree, ``evaluation.evaluate`` its answer. What Loki 3.7 answers to the same records is what the tests compare with.
"""
