"""What listens at an address, when it does not answer in HTTP/1.1."""

from __future__ import annotations

import socket
import ssl

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""The beginning of HTTP/2 with prior knowledge, and an empty SETTINGS frame (RFC 9113, 3.4)."""
_FRAME_HEADER = 9
_SETTINGS = 4


def speaks_tls(host: str, port: int, timeout: float) -> bool:
    """Whether a TLS handshake succeeds there, whatever the certificate. Sends nothing else."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout) as connection, context.wrap_socket(connection):
            return True
    except OSError:
        return False


def speaks_http2(host: str, port: int, timeout: float) -> bool:
    """Whether HTTP/2 without TLS is spoken there, as gRPC servers do. Asks for nothing."""
    answer = b""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(_PREFACE)
            while len(answer) < _FRAME_HEADER and (more := connection.recv(_FRAME_HEADER - len(answer))):
                answer += more
    except OSError:
        return False
    return len(answer) == _FRAME_HEADER and answer[3] == _SETTINGS
