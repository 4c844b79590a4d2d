"""One rule set for what must not leave the process: used by spans, log lines, metrics, SQL texts, URLs and exception messages.

:mod:`~otelkit.redaction.keys` decides by the name of a value, the other modules find values inside texts.
The lists are merged from Sentry, Elastic APM, Logfire and Django (``SafeExceptionReporterFilter``), and the URL rule
follows the semantic conventions 1.44 (``url.full``), only stricter: there, seven query keys are redacted; here, all.
"""

from otelkit.redaction.attributes import redactor_of
from otelkit.redaction.keys import REDACTED, is_sensitive, redact_value
from otelkit.redaction.sql import sanitize_sql
from otelkit.redaction.text import redact_code, redact_text
from otelkit.redaction.urls import redact_path, redact_query_strings, redact_url

__all__ = [
    "REDACTED",
    "is_sensitive",
    "redact_code",
    "redact_path",
    "redact_query_strings",
    "redact_text",
    "redact_url",
    "redact_value",
    "redactor_of",
    "sanitize_sql",
]
