"""What runs inside a foreign test suite: it writes down what became of each test, and switches the kit on where it is told to.

Its folder is put on PYTHONPATH, because a foreign suite may have a package `tests` of its own. It is told by environment variables, so
that a run with the kit and one without are the same command.
"""
