"""The demo: a small shop of real Django services, observed by otelkit, on a laptop and without Docker."""
