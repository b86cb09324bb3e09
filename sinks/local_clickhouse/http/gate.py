"""Who may not ask: a web page that a browser of this machine shows."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from sinks.local_clickhouse.errors import AUTHENTICATION_FAILED, ServerError

_OWN_PAGES = ("", "none", "same-origin")


def refuse_web_pages(headers: Mapping[str, str]) -> None:
    """Raises `ServerError` for a request that a page from elsewhere made a browser send.

    Any page can send requests to loopback, and SQL reads files: such a request says where it comes
    from (Origin, Sec-Fetch-Site), or which name led it here (Host, where a name was pointed at
    127.0.0.1).
    """
    host = headers.get("Host", "")
    is_foreign = headers.get("Sec-Fetch-Site", "") not in _OWN_PAGES
    if is_foreign or not _is_loopback(host) or not _is_of(host, headers.get("Origin", "")):
        raise ServerError(
            AUTHENTICATION_FAILED,
            "The local ClickHouse does not answer web pages from elsewhere, nor under a name other"
            " than localhost: send the query from a program",
        )


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return not host


def _is_of(host: str, origin: str) -> bool:
    """Whether a page of `origin` (scheme://host:port; empty: no page) is a page of this server."""
    return not origin or (host != "" and origin.partition("://")[2] == host)
