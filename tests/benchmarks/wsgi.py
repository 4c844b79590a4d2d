"""The application that gunicorn serves: the subject that BENCHMARK_SUBJECT names."""

from __future__ import annotations

import os

from django.core.handlers.wsgi import WSGIHandler

from tests.benchmarks.subjects import SUBJECTS
from tests.benchmarks.worker import observed

observed(next(subject for subject in SUBJECTS if subject.key == os.environ["BENCHMARK_SUBJECT"]))
application = WSGIHandler()
