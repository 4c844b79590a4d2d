"""Go's text templates, as far as log lines and alerts use them: values, pipelines, functions, ``if``, ``with``, ``range``, variables.

>>> Template("{{ .level | ToUpper }}", {"ToUpper": str.upper}).render({"level": "warn"})
'WARN'
"""

from otelkit_stack.go_template.template import Template
from otelkit_stack.go_template.tokens import TemplateError

__all__ = ["Template", "TemplateError"]
