"""otelkit makes a Django service observable: traces, metrics and JSON logs by one line in ``INSTALLED_APPS``."""

__version__ = "0.1.0"
