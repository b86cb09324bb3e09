"""The core does no I/O, and neither do its tests: a socket or a process is an error here."""

import socket
import subprocess
from typing import NoReturn

import pytest


def _refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a test of the core reached for I/O")


@pytest.fixture(autouse=True)
def no_io(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", _refuse)
    monkeypatch.setattr(subprocess, "Popen", _refuse)
