"""Settings for Django's own suite: its example for SQLite, with our runner."""

from test_sqlite import *  # noqa: F403  (a settings module of the suite, which is on the path where this is read)

TEST_RUNNER = "otelkit_suite.django_runner.Runner"
