"""A project with the one line in its settings, for servers to run."""
