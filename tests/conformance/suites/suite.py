"""Which suites are run, how, and what of them is known to differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Suite:
    """A foreign test suite."""

    name: str
    """On the command line, and of the files that a run leaves."""
    title: str
    distribution: str
    folder: str
    """Within the source, where the command runs."""
    command: tuple[str, ...]
    """What follows the interpreter."""
    subset: tuple[str, ...]
    """What to add for the part that protects main; nothing where that is all of it."""
    least_requests: int
    """SERVER spans that the subset must give at the least with the kit on, and so must the whole: about half of what was counted."""
    inherent: Mapping[str, str] = field(default_factory=dict)
    """Tests that must differ, and why: they assert what observing means, like the exact list of a connection's wrappers."""
    timed: Mapping[str, str] = field(default_factory=dict)
    """Tests that measure durations, and what they measure: on a busy machine they differ from one run to the next, whatever is on."""

    def __str__(self) -> str:
        return f"{self.title} {version(self.distribution)}"

    def arguments(self, python: Path, *, subset: bool, labels: Sequence[str]) -> list[str]:
        """The whole command: for these tests, the subset, or everything."""
        return [str(python), *self.command, *(labels or (self.subset if subset else ()))]


_FOLLOWED = """
asgi async auth_tests backends basic builtin_server bulk_create cache conditional_processing contenttypes_tests context_processors
csrf_tests db_utils decorators dispatch expressions file_uploads flatpages_tests generic_views handlers httpwrappers logging_tests
lookup mail messages_tests middleware middleware_exceptions multiple_database prefetch_related queries raw_query redirects_tests
requests_tests responses select_for_update servers sessions_tests settings_tests shortcuts signals sitemaps_tests staticfiles_tests
syndication_tests template_backends template_loader template_tests test_client test_client_regress test_exceptions test_utils
transaction_hooks transactions urlpatterns_reverse view_tests wsgi
"""
# Requests, queries, templates, log lines and connections; the rest is forms, fields, migrations and the admin.

DJANGO = Suite(
    name="django",
    title="Django",
    distribution="Django",
    folder="tests",
    command=("runtests.py", "--settings=otelkit_suite.django_settings", "--parallel=2", "--noinput"),
    subset=tuple(_FOLLOWED.split()),
    least_requests=1_000,
    inherent={
        "backends.base.test_base.ExecuteWrapperTests.test_wrapper_connection_specific": "it asserts that a connection has no execute "
        "wrapper but the test's own, and the kit's is one",
    },
    timed={
        "serializers.test_deserialization.TestDeserializer.test_crafted_xml_performance": "how much longer the doubled XML takes",
    },
)

DRF = Suite(
    name="drf",
    title="Django REST framework",
    distribution="djangorestframework",
    folder=".",
    command=("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "otelkit_suite.pytest_plugin"),
    subset=(),
    least_requests=100,
)

SUITES = (DJANGO, DRF)
