"""Checks of a project behind a proxy: whose headers Django believes, and whose the kit does."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit.checks.check import Finding, Project, check

_SAY_PROXY = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
_SAY_HTTPS = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")


def _set(project: Project, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(project.settings, name, None)]


@check("W070")
def address_of_the_proxy(project: Project) -> Iterator[Finding]:
    """Django's settings say that a proxy stands in front, but requests.proxies is 0: client.address is the proxy's for everybody."""
    requests = project.config.requests
    behind = _set(project, _SAY_PROXY)
    if requests.client_address != "off" and requests.proxies == 0 and behind:
        yield Finding(
            f"{behind[0]} says that a proxy stands in front, but {project.where('requests.proxies')} is 0: "
            "client.address is the proxy's, whoever asks.",
            'Set OTELKIT["requests"]["proxies"] to the number of own proxies that append to X-Forwarded-For.',
        )


@check("W071")
def everybody_is_trusted(project: Project) -> Iterator[Finding]:
    """Callers are trusted by their network, but all of them come by a proxy, which is in a trusted network itself."""
    behind = [*_set(project, _SAY_PROXY), *(['OTELKIT["requests"]["proxies"]'] if project.config.requests.proxies else [])]
    if project.config.requests.trust_incoming == "networks" and behind:
        yield Finding(
            f'{project.where("requests.trust_incoming")} is "networks", but {behind[0]} says that a proxy stands in front: '
            "the socket sees the proxy alone, so everybody is believed, or nobody.",
            "Let the proxy remove traceparent, tracestate, baggage and X-Request-ID of strangers; "
            "or set OTELKIT_REQUESTS_TRUST_INCOMING=never.",
        )


@check("W072")
def scheme_of_the_proxy(project: Project) -> Iterator[Finding]:
    """The site is served over https behind a proxy, but Django is not told how to know it, so requests are recorded as http."""
    https = _set(project, _SAY_HTTPS)
    if project.config.requests.proxies and https and not getattr(project.settings, "SECURE_PROXY_SSL_HEADER", None):
        yield Finding(
            f"{https[0]} says that the site is served over https, behind a proxy ({project.where('requests.proxies')}), "
            "but without SECURE_PROXY_SSL_HEADER url.scheme is http.",
            'Set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https"), where the proxy always sets that header.',
        )


CHECKS = (address_of_the_proxy, everybody_is_trusted, scheme_of_the_proxy)
