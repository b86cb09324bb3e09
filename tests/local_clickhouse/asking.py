"""Requests as any HTTP client makes them."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.local_clickhouse.process import ServerProcess


@dataclass(frozen=True)
class Answer:
    """A whole response; `is_cut` when its body did not end as it should."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    is_cut: bool = False

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    server: ServerProcess,
    body: bytes | str | Iterable[bytes] = b"",
    *,
    method: str = "POST",
    path: str = "/",
    headers: dict[str, str] | None = None,
    **parameters: Any,
) -> Answer:
    """One request on a connection of its own; an iterable body goes in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    url = f"{path}?{urlencode(parameters)}" if parameters else path
    try:
        connection.request(method, url, body or None, headers or {})
        response = connection.getresponse()
        try:
            return Answer(response.status, response.headers, response.read())
        except http.client.IncompleteRead as error:
            return Answer(response.status, response.headers, error.partial, is_cut=True)
    finally:
        connection.close()


Ask = Callable[..., Answer]
"""As `ask`, in a database of the test's own."""


def rows_of(table: Ask) -> list[list[str]]:
    """What is in the table `t`."""
    answer = table("SELECT * FROM t ORDER BY ALL")
    assert answer.status == 200, answer.text
    return [line.split("\t") for line in answer.text.splitlines()]
