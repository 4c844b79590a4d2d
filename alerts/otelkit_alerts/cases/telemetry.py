"""Whether the pipeline speaks up for itself."""

from __future__ import annotations

from dataclasses import replace

from otelkit.catalog.labels import REASON, SIGNAL
from otelkit_alerts.cases.arriving import alive, answers, dropped, exports
from otelkit_alerts.cases.model import Case, Check, Firing, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
SIBLING = Service("inventory", owner="stock")
AWKWARD = Service("orders & returns", "eu/1", "shop")
OWNERLESS = Service("reports", owner="")
MISSING, EXPORT, WATCHDOG = "ServiceTelemetryMissing", "TelemetryExportFailing", "Watchdog"
(_MISSING,) = (alert for alert in alerts(PRODUCTION) if alert.name == MISSING)
_DROPPED, _ERRORS = (alert for alert in alerts(PRODUCTION) if alert.name == EXPORT)
(_WATCHDOG,) = (alert for alert in alerts(PRODUCTION) if alert.name == WATCHDOG)

_GONE = (Firing(_MISSING, SERVICE.labels),)
_LOST = {**SERVICE.labels, SIGNAL: "traces", REASON: "queue_full"}
_FAILING = {**SERVICE.labels, SIGNAL: "traces"}

MISSING_CASES = (
    Case(
        MISSING,
        Situation.FIRING,
        "fires for the service that went silent, and not for its sibling",
        (alive(SERVICE, f"{steady(61)} _x60"), alive(SIBLING, steady(121))),
        (Check("60m"), Check("69m"), Check("71m", _GONE)),
    ),
    Case(
        MISSING,
        Situation.FIRING,
        "fires for a service that died minutes after its first start",
        (alive(SERVICE, f"{steady(6)} _x30"),),
        (Check("14m"), Check("16m", _GONE)),
    ),
    Case(
        MISSING,
        Situation.FIRING,
        "fires with links that survive an awkward name",
        (alive(AWKWARD, f"{steady(61)} _x60"),),
        (Check("71m", (Firing(_MISSING, AWKWARD.labels),)),),
    ),
    Case(
        MISSING,
        Situation.FIRING,
        "fires without a team for a service without owner",
        (alive(OWNERLESS, f"{steady(61)} _x60"),),
        (Check("71m", (Firing(_MISSING, OWNERLESS.labels),)),),
    ),
    Case(
        MISSING,
        Situation.SILENT,
        "is quiet when a deploy takes three minutes",
        (alive(SERVICE, f"{steady(31)} _x3 {steady(60)}"),),
        (Check("33m"), Check("36m"), Check("60m")),
    ),
    Case(
        MISSING,
        Situation.SILENT,
        "is quiet when another team takes the service over",
        (alive(SERVICE, f"{steady(31)} _x60"), alive(replace(SERVICE, owner="stock"), f"_x31 {steady(60)}")),
        (Check("45m"), Check("80m")),
    ),
    Case(MISSING, Situation.ABSENT, "is quiet when no service was ever seen", (), (Check("90m"),)),
    Case(
        MISSING,
        Situation.LOW_TRAFFIC,
        "is quiet about a living service without a single request",
        (alive(SERVICE, steady(121)),),
        (Check("60m"), Check("120m")),
    ),
    Case(
        MISSING,
        Situation.RECOVERY,
        "clears when the service reports again",
        (alive(SERVICE, f"{steady(31)} _x20 {steady(40)}"),),
        (Check("45m", _GONE), Check("53m"), Check("85m")),
    ),
    Case(
        MISSING,
        Situation.RECOVERY,
        "forgets a service an hour after it was taken down for good",
        (alive(SERVICE, f"{steady(31)} _x120"),),
        (Check("80m", _GONE), Check("92m")),
    ),
)

EXPORT_CASES = (
    Case(
        EXPORT,
        Situation.FIRING,
        "tells of the loss with the first report after an outage of half an hour",
        (dropped(SERVICE, f"{counter((60, 0))} _x30 500x60"),),
        (Check("89m"), Check("93m", (Firing(_DROPPED, _LOST, "500"),))),
    ),
    Case(
        EXPORT,
        Situation.FIRING,
        "fires when half of the exports fail",
        (exports(SERVICE, counter((30, 30))), exports(SERVICE, counter((30, 30)), error="retry")),
        (Check("10m"), Check("15m", (Firing(_ERRORS, _FAILING, "50%"),))),
    ),
    Case(
        EXPORT,
        Situation.SILENT,
        "is quiet when everything arrives",
        (dropped(SERVICE, counter((120, 0))), exports(SERVICE, counter((120, 60)))),
        (Check("30m"), Check("2h")),
    ),
    Case(
        EXPORT,
        Situation.SILENT,
        "is quiet about metrics that a short outage skipped, because the next export repeats them",
        (dropped(SERVICE, counter((30, 0), (5, 100), (60, 0)), signal="metrics", reason="unreachable"),),
        (Check("40m"), Check("90m")),
    ),
    Case(
        EXPORT,
        Situation.SILENT,
        "is quiet when one export in twenty fails",
        (exports(SERVICE, counter((60, 57))), exports(SERVICE, counter((60, 3)), error="retry")),
        (Check("30m"), Check("59m")),
    ),
    Case(
        EXPORT,
        Situation.SILENT,
        "is quiet when failures of a minute end before it would be held",
        (exports(SERVICE, counter((60, 60))), exports(SERVICE, counter((20, 0), (1, 60), (39, 0)), error="retry")),
        (Check("24m"), Check("40m")),
    ),
    Case(EXPORT, Situation.ABSENT, "is quiet when nothing is known", (), (Check("60m"),)),
    Case(
        EXPORT,
        Situation.LOW_TRAFFIC,
        "is quiet when the one export of a minute fails",
        (exports(SERVICE, counter((60, 0.5))), exports(SERVICE, counter((60, 0.5)), error="rejected")),
        (Check("30m"), Check("59m")),
    ),
    Case(
        EXPORT,
        Situation.RECOVERY,
        "forgets a loss after an hour, and failures when exports succeed",
        (
            dropped(SERVICE, counter((60, 0), (1, 500), (120, 0))),
            exports(SERVICE, counter((60, 0), (20, 30), (101, 60))),
            exports(SERVICE, counter((60, 0), (20, 30), (101, 0)), error="retry"),
        ),
        (Check("78m", (Firing(_DROPPED, _LOST, "500"), Firing(_ERRORS, _FAILING, "50%"))), Check("130m")),
    ),
)

_ALWAYS = (Firing(_WATCHDOG, {}, "1"),)

WATCHDOG_CASES = (
    Case(WATCHDOG, Situation.FIRING, "fires always", (answers(SERVICE, counter((60, 60))),), (Check("1m", _ALWAYS), Check("1h", _ALWAYS))),
    Case(WATCHDOG, Situation.ABSENT, "fires even when nothing is known", (), (Check("0m", _ALWAYS), Check("1h", _ALWAYS))),
)

SUITE = Suite("Telemetry.", PRODUCTION, "1m", (*MISSING_CASES, *EXPORT_CASES, *WATCHDOG_CASES))
