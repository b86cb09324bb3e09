"""What is wrong with the wire to Kafka, and what to do about it: one place for both clients.

librdkafka says of most things that it timed out, and aiokafka that it could not bootstrap. So the
wire is tried step by step, as both do it: find the host, connect, TLS, login, ask for the brokers,
and find those. The first step that fails is told. Nothing here tells a password or a key.
"""

import asyncio
import socket
import ssl
from asyncio import IncompleteReadError
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import ApiVersionRequest, SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from agents.tls import tls_context
from config.wires import KafkaSettings

_ANSWER_S = 4.0
_TLS_ALERT = 0x1503
"""The first two bytes of what a TLS listener says to who speaks plainly."""
_PROTOCOL = "VIPCARE_KAFKA__SECURITY_PROTOCOL"
_BOOTSTRAP = "VIPCARE_KAFKA__BOOTSTRAP"
_KEEP_TRANSACTIONS = frozenset((27, 61, 65, 66))
"""Kafka's numbers for WriteTxnMarkers and for describing producers and transactions. A broker that
answers none of them has nothing that ends a transaction, whatever else it answers."""
_CERTIFICATE_EXPIRED = 10
_CERTIFICATE_NOT_YET_VALID = 9
_NAME_MISMATCH = frozenset((62, 64))  # OpenSSL's numbers for a host's name and its address


class _Place(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _Found(NamedTuple):
    """What came of one address: what is wrong, or the brokers that it told of."""

    place: _Place
    problem: str
    common: bool = False
    """The problem is one that any address may have which is just not there."""
    brokers: Sequence[_Place] = ()


def wire_problem(kafka: KafkaSettings) -> str:
    """One line on what is wrong with the wire and what to do; empty if both clients can use it.

    Takes milliseconds, or some seconds where nobody answers. May be called beside an event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _problem(kafka)).result()


async def _problem(kafka: KafkaSettings) -> str:
    places = [_place(address) for address in kafka.bootstrap.split(",")]
    tried = await asyncio.gather(*(_look(kafka, place) for place in places))
    good = [found for found in tried if not found.problem]
    if not good:
        told = min(tried, key=lambda found: found.common)  # the one that says more
        silent = " does not answer" if told.common else ""
        return f"Kafka at {told.place}{silent}: {told.problem}"
    return await _brokers_problem(good[0])


def transactions_problem(kafka: KafkaSettings) -> str:
    """One line if `kafka.transactions` is on and Kafka keeps none; empty if all is well, or if
    nobody answers. Writes nothing. Takes milliseconds."""
    if not kafka.transactions:
        return ""
    with ThreadPoolExecutor(1) as thread:
        lacks = thread.submit(asyncio.run, _lacks_transactions(kafka)).result()
    if not lacks:
        return ""
    return (
        f"Kafka at {kafka.bootstrap} keeps no transactions, as the embedded broker does not: set "
        "VIPCARE_KAFKA__TRANSACTIONS=false (after a kill, effects and changes may count twice), "
        "or use Apache Kafka"
    )


async def _lacks_transactions(kafka: KafkaSettings) -> bool:
    for address in kafka.bootstrap.split(","):
        try:
            async with asyncio.timeout(2 * _ANSWER_S):
                connection = await _connect(kafka, _place(address), kafka.security_protocol)
                try:
                    answer = await connection.send(ApiVersionRequest())
                finally:
                    connection.close()
        except (OSError, errors.KafkaError):
            continue
        return _KEEP_TRANSACTIONS.isdisjoint(key for key, *_ in answer.api_versions)
    return False


def _place(address: str) -> _Place:
    host, _, port = address.rpartition(":")
    return _Place(host.strip("[]"), int(port))


async def _look(kafka: KafkaSettings, place: _Place) -> _Found:
    try:
        async with asyncio.timeout(2 * _ANSWER_S):
            connection = await _connect(kafka, place, kafka.security_protocol)
            try:
                answer = await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except errors.UnsupportedSaslMechanismError:
        return _Found(place, await _mechanism_problem(kafka, place))
    except (OSError, errors.KafkaError) as error:
        problem = _why(kafka, error)
        return _Found(place, problem or _not_there(error), common=not problem)
    brokers = [_Place(broker[1], broker[2]) for broker in answer.brokers]
    return _Found(place, "", brokers=brokers)


async def _connect(kafka: KafkaSettings, place: _Place, protocol: str) -> Any:
    password = kafka.sasl_password
    return await create_conn(
        place.host,
        place.port,
        client_id="vipcare-diagnosis",
        request_timeout_ms=int(_ANSWER_S * 1_000),
        ssl_context=tls_context(kafka),
        security_protocol=protocol,
        sasl_mechanism=kafka.sasl_mechanism,
        sasl_plain_username=kafka.sasl_username,
        sasl_plain_password=password.get_secret_value() if password else None,
    )


def _why(kafka: KafkaSettings, error: BaseException) -> str:
    """What an answer that was no good means; empty if there was no answer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_problem(kafka, error)
    if isinstance(error, errors.SaslAuthenticationFailed):
        return (
            f"it refuses {kafka.sasl_username} by {kafka.sasl_mechanism}: look at "
            "VIPCARE_KAFKA__SASL_USERNAME and the password (SCRAM has one for each mechanism)"
        )
    if isinstance(error, errors.IllegalSaslStateError):
        plain = "SSL" if kafka.has_tls else "PLAINTEXT"
        return f"this port takes no login: name the one that does, or set {_PROTOCOL} to {plain}"
    # What breaks off behind a TLS handshake is told by aiokafka, with its cause.
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
        return _refused_certificate(kafka, cause)
    if kafka.has_tls and isinstance(error, ConnectionResetError | ssl.SSLError):
        plain = "SASL_PLAINTEXT" if kafka.has_login else "PLAINTEXT"
        return f"this port speaks no TLS: name the one that does, or set {_PROTOCOL} to {plain}"
    if isinstance(cause, IncompleteReadError):
        return _broken_off(kafka, cause)
    return ""


def _certificate_problem(kafka: KafkaSettings, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _CERTIFICATE_EXPIRED:
        return (
            "the broker's certificate has expired: renew it there (is this machine's clock right?)"
        )
    if error.verify_code == _CERTIFICATE_NOT_YET_VALID:
        return "the broker's certificate is not valid yet: is this machine's clock right?"
    if error.verify_code in _NAME_MISMATCH:
        return (
            f"the broker's certificate is for another name: write the name that it has into "
            f"{_BOOTSTRAP}, or give the broker a certificate for this one"
        )
    whom = kafka.ca_file or "those that the system trusts"
    return (
        f"the broker's certificate is signed by none of {whom} ({error.verify_message}): "
        "set VIPCARE_KAFKA__CA_FILE to the authority that signed it"
    )


def _refused_certificate(kafka: KafkaSettings, error: ssl.SSLError) -> str:
    if kafka.certificate_file is None:
        return (
            "it asks for a certificate of this client: set VIPCARE_KAFKA__CERTIFICATE_FILE and "
            "VIPCARE_KAFKA__KEY_FILE"
        )
    word = (error.reason or "").rpartition("ALERT_")[2].replace("_", " ").lower()
    return (
        f"it refuses the certificate in {kafka.certificate_file} ({word}): do the brokers trust "
        "who signed it (their ssl.truststore), and is it valid?"
    )


def _broken_off(kafka: KafkaSettings, error: IncompleteReadError) -> str:
    if not kafka.has_tls and (error.expected or 0) >> 16 == _TLS_ALERT:
        secure = "SASL_SSL" if kafka.has_login else "SSL or SASL_SSL"
        return f"this port speaks TLS: set {_PROTOCOL} to {secure}, or name a plain port"
    if not kafka.has_login:
        login = "SASL_SSL" if kafka.has_tls else "SASL_PLAINTEXT"
        return (
            f"it ends the connection: if it wants a login, set {_PROTOCOL} to {login}, with "
            "VIPCARE_KAFKA__SASL_MECHANISM, a name and a password"
        )
    return f"it ends the connection: is it Kafka's port ({_BOOTSTRAP})?"


def _not_there(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return f"its name is unknown here ({error.strerror}): look at {_BOOTSTRAP}, or at the DNS"
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens there: is it running, and is {_BOOTSTRAP} right?"
    if isinstance(error, TimeoutError):
        return f"no answer in {_ANSWER_S:g} s: is it running, is {_BOOTSTRAP} right, a firewall?"
    return f"it cannot be reached ({type(error).__name__}): is {_BOOTSTRAP} right?"


async def _mechanism_problem(kafka: KafkaSettings, place: _Place) -> str:
    """Ask, on a connection without a login, which ones it has."""
    offered = "another one"
    try:
        connection = await _connect(kafka, place, "SSL" if kafka.has_tls else "PLAINTEXT")
        try:
            answer = await connection.send(SaslHandShakeRequest(kafka.sasl_mechanism))
            offered = " or ".join(answer.enabled_mechanisms)
        finally:
            connection.close()
    except (OSError, errors.KafkaError):
        pass  # it ends the connection now: what is known is told
    return (
        f"it has no login by {kafka.sasl_mechanism}: set VIPCARE_KAFKA__SASL_MECHANISM to {offered}"
    )


async def _brokers_problem(found: _Found) -> str:
    """Clients go on to the addresses that brokers give for themselves: one must be there."""
    problems = await asyncio.gather(*(_absence(broker) for broker in found.brokers))
    if not problems or not all(problems):
        return ""
    return (
        f"Kafka at {found.place} sends clients on to {found.brokers[0]}, but {problems[0]}: mend "
        "advertised.listeners of the broker, or how this machine finds that name"
    )


async def _absence(place: _Place) -> str:
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except socket.gaierror:
        return "that name is unknown here"
    except OSError:
        return "nobody can be reached there"
    writer.close()
    return ""
