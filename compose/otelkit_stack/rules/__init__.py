"""The rule engine: rule files of Prometheus, unchanged, evaluated over a store; alerts go to Alertmanager."""

from otelkit_stack.rules.alert import Alert, State, Transition
from otelkit_stack.rules.asking import Ask, promql
from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.files import load
from otelkit_stack.rules.group import GroupState, RuleStorage, Surroundings
from otelkit_stack.rules.manager import RuleManager, read_all
from otelkit_stack.rules.notifier import Notifier

__all__ = [
    "Alert",
    "Ask",
    "GroupState",
    "Notifier",
    "RuleFileError",
    "RuleManager",
    "RuleStorage",
    "State",
    "Surroundings",
    "Transition",
    "load",
    "promql",
    "read_all",
]
