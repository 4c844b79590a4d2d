"""The embedded stack: an OTLP receiver, a store on disk and a page, in one process and without Docker.

It is for a laptop and for CI, and listens on the loopback address unless it is told otherwise. Past one machine the same services point at
the compose or Kubernetes stack, unchanged.
"""

TOKEN_VARIABLE = "OTELKIT_STACK_TOKEN"  # noqa: S105 - its name
"""The variable that holds a stack's token, for the stack and for the commands that ask it."""
