"""Which HTTP status an error has, as on a server.

Source: ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp.
"""

from __future__ import annotations

from http import HTTPStatus

_BAD_REQUEST = (
    *(6, 25, 26, 27, 38, 41, 72, 376, 427, 441, 675, 676),  # what cannot be parsed
    *(8, 15, 36, 44, 53, 62, 117, 167, 168, 223, 321),  # what cannot be meant
)
_NOT_FOUND = (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 139, 336)
_STATUS = {
    **dict.fromkeys(_BAD_REQUEST, HTTPStatus.BAD_REQUEST),
    **dict.fromkeys(_NOT_FOUND, HTTPStatus.NOT_FOUND),
    **dict.fromkeys((192, 193, 516), HTTPStatus.FORBIDDEN),
    48: HTTPStatus.NOT_IMPLEMENTED,
    159: HTTPStatus.REQUEST_TIMEOUT,
    **dict.fromkeys((76, 209, 439), HTTPStatus.SERVICE_UNAVAILABLE),
}


def status_of(code: int) -> HTTPStatus:
    """The status for one of ClickHouse's error codes."""
    return _STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
