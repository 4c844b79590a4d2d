"""Management commands: what ran, how it ended, and when it last went well."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import COMMAND, COMMAND_OUTCOME, SERVICE_NAME
from otelkit.catalog.metrics import COMMAND_DURATION, COMMAND_LAST_SUCCESS_TIME
from otelkit.catalog.promql import RANGE, equals, increase, maximum, now, number, quantile, rate
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import ALIVE, or_none
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_COMMANDS: Final = "No command has run in this time range. Of Django's own, the setting commands.followed names those that count."
FAILED_ANY: Final = Exemption("threshold-is-objective", "Any at all is worth a look; no objective says how many may fail.")

_COMMAND: Final = [SERVICE_NAME, COMMAND]
_FAILED: Final = (*CHOSEN, equals(COMMAND_OUTCOME, "error"))

FAILED_COMMANDS = Stat(
    key="failed-commands",
    title="Failed commands",
    help="Management commands within the time range that ended with another exit code than 0.",
    act="The graph below names the command; its trace has the exception and the exit code.",
    missing=NO_COMMANDS,
    unit=Unit.COUNT,
    thresholds=Thresholds(warning=1),
    exemptions=(FAILED_ANY,),
    queries=(Query(increase(COMMAND_DURATION, where=_FAILED, window=RANGE).or_else(number(0) * ALIVE), instant=True),),
)

COMMANDS = Row(
    "commands",
    "Management commands",
    (
        TimeSeries(
            key="commands-run",
            title="Commands by outcome",
            help="Management commands a second that ended, by command and outcome.",
            act="Errors: open the newest trace of the command. None where there should be some: look at who starts it.",
            missing=NO_COMMANDS,
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            bars=True,
            queries=or_none(rate(COMMAND_DURATION, by=[COMMAND, COMMAND_OUTCOME], where=CHOSEN), (COMMAND, COMMAND_OUTCOME), out_of=ALIVE),
        ),
        TimeSeries(
            key="command-time",
            title="Time of a command, p95",
            help="Time within which 95 of 100 runs of a command end.",
            act="Rising from run to run: it works on more each time. Close to the time between two runs: they will overlap.",
            missing=NO_COMMANDS,
            unit=Unit.SECONDS,
            width=8,
            queries=or_none(quantile(0.95, COMMAND_DURATION, by=_COMMAND, where=CHOSEN), tuple(_COMMAND), out_of=ALIVE),
        ),
        TimeSeries(
            key="command-age",
            title="Since a command last went well",
            help="Seconds since the last run of each command that ended with exit code 0, while the process that ran it is still known.",
            act="Rising past its schedule: the command fails, hangs, or is no longer started.",
            missing=NO_COMMANDS,
            unit=Unit.SECONDS,
            width=8,
            queries=or_none(now() - maximum(COMMAND_LAST_SUCCESS_TIME, by=_COMMAND, where=CHOSEN), tuple(_COMMAND), out_of=ALIVE),
        ),
    ),
)
