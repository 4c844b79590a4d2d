"""What went wrong on the way to a receiver, in words a person can act on."""

from __future__ import annotations

import ssl

import urllib3

_WRONG_AUTHORITY = (
    'set OTELKIT["export"]["certificate"], or OTEL_EXPORTER_OTLP_CERTIFICATE, to the file (PEM) of the authority that signed it'
)

_CLIENT_CERTIFICATE = (
    'set OTELKIT["export"]["client_certificate"] and ["client_key"], or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and '
    "OTEL_EXPORTER_OTLP_CLIENT_KEY, to its files (PEM)"
)


def reason(error: Exception) -> str:
    """A clause that may follow "Telemetry does not reach <address>:"."""
    if isinstance(error, urllib3.exceptions.ProxyError):
        return f"the proxy that HTTP_PROXY or HTTPS_PROXY names does not help: {reason(error.original_error)}; NO_PROXY takes a host out"
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its host name cannot be resolved"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "the connection was refused" if "refused" in str(error).lower() else "no connection could be made"
    if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)):
        return "it did not answer in time"
    if isinstance(error, (urllib3.exceptions.SSLError, ssl.SSLError)):
        return _of_tls(error)
    return f"the exchange failed ({type(error).__name__})"


def _of_tls(error: Exception) -> str:
    cause = next((found for found in (error, *error.args) if isinstance(found, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = cause.verify_message
        if cause.verify_code in _NAME_MISMATCHES:
            return f"its certificate is for another name ({words}); use the name that the certificate has"
        if cause.verify_code == _EXPIRED:
            return "its certificate has expired; it has to be renewed there"
        return f"its certificate was not accepted ({words}); {_WRONG_AUTHORITY}"
    if cause is not None and cause.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return "it does not speak TLS; write http:// instead of https://, or use the port that does"
    if cause is not None and cause.reason in ("NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE"):
        return 'the file of OTELKIT["export"]["certificate"] (OTEL_EXPORTER_OTLP_CERTIFICATE) holds no certificate in PEM form'
    if cause is not None and "CERTIFICATE_REQUIRED" in str(cause.reason):
        return f"it wants to see a certificate of this service; {_CLIENT_CERTIFICATE}"
    if isinstance(cause, ssl.SSLEOFError):
        return f"it broke off while TLS was agreed on; if it wants to see a certificate of this service, {_CLIENT_CERTIFICATE}"
    if cause is not None and cause.reason == "KEY_VALUES_MISMATCH":
        return 'the private key of OTELKIT["export"]["client_key"] is not that of the client certificate'
    return f"TLS could not be agreed on ({cause.reason if cause is not None and cause.reason else error})"


# Of OpenSSL: X509_V_ERR_CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _EMAIL_MISMATCH, _IP_ADDRESS_MISMATCH.
_EXPIRED, _NAME_MISMATCHES = 10, (62, 63, 64)
