"""Commands that speak to a stack from the shell: ``otelkit query``, ``tail``, ``export`` and ``import``."""
