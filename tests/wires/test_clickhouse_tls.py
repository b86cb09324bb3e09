"""Secure native to ClickHouse: TLS for real, in front of a local ClickHouse."""

import asyncio
import ssl
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import NamedTuple

import pytest

from agents.clickhouse import clickhouse_address
from agents.local.ports import free_port
from config.wires import ClickHouseSettings
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import MigrationError, migrate
from tests.loopback import Loopback
from tests.sink.server import Server
from tests.stack.processes import refused, vipcare
from tests.wires.certificates import Authority, Pair
from tests.wires.secure_kafka import variables
from tests.wires.tls_proxy import TlsProxy


class Wires(NamedTuple):
    authority: Authority
    stranger: Authority
    right: TlsProxy
    mutual: TlsProxy
    expired: TlsProxy
    misnamed: TlsProxy
    plain: int


def _context(pair: Pair, clients: Authority | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.together)
    if clients is not None:
        context.load_verify_locations(clients.file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(scope="module")
def wires(clickhouse: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wires]:
    folder = tmp_path_factory.mktemp("tls")
    mine, stranger = Authority(folder), Authority(folder, "stranger")
    good = mine.server("good", "127.0.0.1")
    old = mine.server("old", "127.0.0.1", expired=True)
    other = mine.server("other", "clickhouse.bank.example")
    with (
        TlsProxy(_context(good), clickhouse.port) as right,
        TlsProxy(_context(good, mine), clickhouse.port) as mutual,
        TlsProxy(_context(old), clickhouse.port) as expired,
        TlsProxy(_context(other), clickhouse.port) as misnamed,
    ):
        yield Wires(mine, stranger, right, mutual, expired, misnamed, clickhouse.port)


def address(port: int, **settings: object) -> Address:
    return clickhouse_address(ClickHouseSettings.model_validate({"port": port, **settings}))


def asked(where: Address) -> int:
    with client_of(where) as client:
        return int(client.execute("SELECT 6 * 7")[0][0])


def test_right_wires(wires: Wires) -> None:
    tls = {"secure": True, "ca_file": wires.authority.file}
    client = wires.authority.client("sink")
    mine = {"certificate_file": client.certificate, "key_file": client.key}
    encrypted = {"key_file": client.encrypted("sesame"), "key_password": "sesame"}
    before = wires.right.passed
    assert asked(address(wires.right.port, **tls)) == 42
    assert wires.right.passed == before + 1
    assert asked(address(wires.mutual.port, **tls, **mine)) == 42
    assert asked(address(wires.mutual.port, **tls, **(mine | encrypted))) == 42
    assert asked(address(wires.misnamed.port, secure=True, verify=False)) == 42
    assert migrate(address(wires.right.port, **tls, database="over_tls"))


def wrongs(wires: Wires) -> dict[str, tuple[Mapping[str, object], str]]:
    tls = {"secure": True, "ca_file": wires.authority.file}
    return {
        "another authority": (
            {"port": wires.right.port, "secure": True, "ca_file": wires.stranger.file},
            "VIPCARE_CLICKHOUSE__CA_FILE",
        ),
        "expired": ({"port": wires.expired.port, **tls}, "certificate has expired"),
        "misnamed": ({"port": wires.misnamed.port, **tls}, "is for another name"),
        "no certificate": (
            {"port": wires.mutual.port, **tls},
            "VIPCARE_CLICKHOUSE__CERTIFICATE_FILE",
        ),
        "plain on TLS": ({"port": wires.right.port}, "VIPCARE_CLICKHOUSE__SECURE"),
        "TLS on plain": ({"port": wires.plain, **tls}, "speaks no TLS"),
    }


def test_wrong_wires_are_told_with_what_to_do(wires: Wires) -> None:
    for what, (settings, said) in wrongs(wires).items():
        with pytest.raises(MigrationError) as caught:
            migrate(clickhouse_address(ClickHouseSettings.model_validate(settings)))
        assert said in str(caught.value), what
        assert str(settings["port"]) in str(caught.value), what


def test_a_command_refuses_in_one_line(wires: Wires, tmp_path: Path) -> None:
    settings, said = wrongs(wires)["another authority"]
    assert said in refused(vipcare("migrate", **variables("clickhouse", settings)))


class _HangsUp(Loopback):
    """As what speaks no TLS does, or a balancer in front of nothing: it reads, and ends."""

    def __init__(self, *, hard: bool) -> None:
        super().__init__()
        self._hard = hard

    async def _pass(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        await client.read(1)
        if self._hard:
            no_linger = struct.pack("ii", 1, 0)
            back.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, no_linger)
        back.close()


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("hard", [True, False])
def test_what_hangs_up_is_asked_whether_it_speaks_tls(*, secure: bool, hard: bool) -> None:
    with _HangsUp(hard=hard) as server, pytest.raises(MigrationError) as caught:
        migrate(address(server.port, secure=secure))
    assert "it ends the connection. If that is so from the start: does this port speak TLS" in str(
        caught.value
    )


def test_what_is_not_there_may_have_another_port_with_tls() -> None:
    port = free_port()
    with pytest.raises(MigrationError, match="right, and does the port speak TLS"):
        migrate(address(port, secure=True))
    with pytest.raises(MigrationError, match=r"is it running, is the address right\?"):
        migrate(address(port))
