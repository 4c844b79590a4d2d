"""The embedded stack: an OTLP receiver, a store on disk and a page, in one process and without Docker.

It is for a laptop and for CI, and listens on the loopback address only. Past one machine the same services point at the
compose or Kubernetes stack, unchanged.
"""
