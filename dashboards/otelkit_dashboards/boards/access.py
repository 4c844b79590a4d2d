"""Access: who is let in, and why others are not."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import ACCESS
from otelkit.catalog.labels import AUTH_ISSUER, AUTH_METHOD, AUTH_OUTCOME, AUTH_REASON, HTTP_ROUTE, SERVICE_NAME
from otelkit.catalog.metrics import AUTH_ATTEMPTS, AUTH_JWKS_REFRESHES, AUTH_TOKENS_VALIDATED, CSRF_FAILURES, PERMISSION_DENIED
from otelkit.catalog.promql import RANGE, equals, increase, rate
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.guards import or_zero, where_used
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_ACCESS: Final = "No service reports here: it is off, or its metrics do not arrive."
_NO_OBJECTIVE: Final = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")
_FAILED: Final = (*CHOSEN, equals(AUTH_OUTCOME, "failed"))

VERDICT: Final = Row(
    "verdict",
    "Is somebody kept out who should come in?",
    (
        Stat(
            key="keys-not-fetched",
            title="Keys not fetched",
            help="Times within the time range that an issuer's public keys could not be fetched.",
            act="The old keys serve for a day; ask the issuer's owner, and see whether the network between lets the call through.",
            missing=NO_ACCESS,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(Query(or_zero(increase(AUTH_JWKS_REFRESHES, where=_FAILED, window=RANGE)), instant=True),),
        ),
        TimeSeries(
            key="tokens",
            title="Tokens refused",
            help="Tokens a second that were not believed, by issuer and reason.",
            act="unknown_key, keys_unavailable: ours or the issuer's trouble; expired: a client that does not renew; signature: a forgery.",
            missing=NO_ACCESS,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(AUTH_TOKENS_VALIDATED, by=[SERVICE_NAME, AUTH_ISSUER, AUTH_REASON], where=_FAILED),
                (SERVICE_NAME, AUTH_ISSUER, AUTH_REASON),
            ),
        ),
        TimeSeries(
            key="log-ins",
            title="Log-ins",
            help="Attempts to log in a second, by method and outcome.",
            act="Failures that rise without successes are somebody who tries passwords: throttle, and look where they come from.",
            missing=NO_ACCESS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=where_used(
                rate(AUTH_ATTEMPTS, by=[SERVICE_NAME, AUTH_METHOD, AUTH_OUTCOME], where=CHOSEN),
                (SERVICE_NAME, AUTH_METHOD, AUTH_OUTCOME),
            ),
        ),
        TimeSeries(
            key="permission-denied",
            title="Permission denied",
            help="Requests a second that were answered 403, by route; those that CSRF stopped are beside.",
            act="One route after a deploy: a permission that nobody was given. Many routes: somebody who looks for open doors.",
            missing=NO_ACCESS,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(PERMISSION_DENIED, by=[SERVICE_NAME, HTTP_ROUTE], where=CHOSEN), (SERVICE_NAME, HTTP_ROUTE)),
        ),
        TimeSeries(
            key="csrf",
            title="CSRF failures",
            help="Requests a second that Django's protection against CSRF refused.",
            act="A step with a deploy is a form without its token, or an origin that CSRF_TRUSTED_ORIGINS lacks; a trickle is normal.",
            missing=NO_ACCESS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=where_used(rate(CSRF_FAILURES, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),
        ),
        TimeSeries(
            key="key-refreshes",
            title="Keys fetched",
            help="Times a second that issuers' keys were fetched, by outcome.",
            act="More than once in five minutes a worker: somebody sends key ids that do not exist, or keys rotate very fast.",
            missing=NO_ACCESS,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=where_used(rate(AUTH_JWKS_REFRESHES, by=[SERVICE_NAME, AUTH_OUTCOME], where=CHOSEN), (SERVICE_NAME, AUTH_OUTCOME)),
        ),
    ),
)

BOARD: Final = Dashboard(
    fact=ACCESS,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(VERDICT,),
)
