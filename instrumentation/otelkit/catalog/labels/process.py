"""The process, its interpreter and what it runs."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

CPU_MODE = Label("cpu.mode", "Where the processor time went.", ("user", "system"))
CPYTHON_GC_GENERATION = Label("cpython.gc.generation", "Generation of Python's garbage collector; 0 is the youngest.", ("0", "1", "2"))
PYTHON_VERSION = Label("python.version", "Version of the interpreter. Ours.")
DJANGO_VERSION = Label("django.version", "Version of Django. Ours.")
OTELKIT_VERSION = Label("otelkit.version", "Version of this kit. Ours.")
SERVER = Label("server", "Program that runs the application. Ours.", ("gunicorn", "uwsgi", "uvicorn", "hypercorn", "granian", "daphne"))
