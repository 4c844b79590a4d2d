"""Go's text templates, as far as log lines and alerts use them. Each language gives its own functions beside Go's.

>>> Template("{{ .level | ToUpper }}", {"ToUpper": str.upper}).render({"level": "warn"})
'WARN'
"""

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.template import Template

__all__ = ["Template", "TemplateError"]
