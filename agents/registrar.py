"""Changes the register of rules: one change at a time, whole or not at all, and audited."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from agents.diagnosis import transactions_problem, wire_problem
from agents.librdkafka import MAX_MESSAGE_BYTES, SILENT, librdkafka_config, unreachable
from agents.register import read_register
from agents.rights import Right, Role
from agents.rights_check import lacking, missing_of, user_of
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC, Audited, Deed, RuleChange, RuleChanges, encode_audited
from schemas.rule_register import (
    ACTIVE_KEY,
    REGISTRAR,
    RULES_TOPIC,
    Isolated,
    RegisterKey,
    RuleVersion,
    Standing,
    encode_register,
)
from schemas.rules import RuleDefinition
from streams.rules.lifecycle import Change, changed
from streams.rules.register import RuleBook

_ANSWER_S = 10.0

_Record = tuple[bytes, bytes | None]
"""Key and value."""


class RegistrarError(Exception):
    """The register was not changed; one line."""


class Registrar:
    """Use it as a context manager: inside, `book` is the register as it stands.

    Where Kafka has transactions, whoever begins later ends what others have begun: their change is
    refused, so that nobody changes what he has not seen. What somebody else has removed from the
    register or spoilt there is sent again, as it was, beside whatever a person changes.
    """

    def __init__(
        self, settings: Settings, who: str, role: Role = "operator", identity: str = REGISTRAR
    ) -> None:
        """`role` is whose rights it takes, `identity` its transactional id: those of one and the
        same end each other's changes."""
        self._settings = settings
        self._who = who
        self._role: Role = role
        self._identity = identity
        self._transactions = settings.kafka.transactions
        self._refused = ""
        self.book = RuleBook()

    def __enter__(self) -> Self:
        """Raises RegistrarError, ReadingError."""
        kafka = self._settings.kafka
        if problem := wire_problem(kafka) or transactions_problem(kafka):
            raise RegistrarError(problem)
        rights = [Right("Write", "topic", name) for name in (RULES_TOPIC, AUDIT_TOPIC)]
        if missing := missing_of(rights, kafka):
            raise RegistrarError(lacking(missing, self._role, user_of(kafka)))
        config: dict[str, Any] = {**librdkafka_config(kafka), "acks": "all", "log_level": 0}
        config["message.max.bytes"] = MAX_MESSAGE_BYTES
        if self._transactions:
            config["transactional.id"] = self._identity
        self._producer = Producer(config, logger=SILENT)
        try:
            topics = self._producer.list_topics(timeout=_ANSWER_S).topics
            if AUDIT_TOPIC not in topics:
                raise RegistrarError(
                    f"topic {AUDIT_TOPIC} is missing, and no change of rules goes unaudited: make "
                    "it with `vipcare topics create`"
                )
            if self._transactions:
                self._producer.init_transactions(_ANSWER_S)
        except KafkaException as error:
            raise RegistrarError(unreachable(kafka, error)) from error
        self.book = read_register(kafka)
        if self.book.state.active is None and ACTIVE_KEY in self.book.unusable:
            raise RegistrarError(
                f"what {RULES_TOPIC} says is in force cannot be used: "
                f"{self.book.unusable[ACTIVE_KEY][1]}. Nothing is changed, as that would put all "
                f"other rules out of force: bring {RULES_TOPIC} back from a copy"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def publish(self, brought: Sequence[tuple[RuleDefinition, str]]) -> None:
        """Add versions, each beside its file's text. Nothing that is in force changes."""
        changes = [
            RuleChange(rule=one.id, version=one.version, status=one.status) for one, _ in brought
        ]
        self._write(
            "rules.published",
            [*self._spoilt(), *self._as_it_is(), *self._versions(brought, self._who)],
            RuleChanges(number=0, changes=changes),
        )

    def put_in_force(
        self,
        deed: Deed,
        changes: Sequence[Change],
        of_files: Sequence[tuple[RuleDefinition, str]] = (),
    ) -> int:
        """Change what is in force; returns the number of the publication. `of_files` are versions
        that have been in force without a register."""
        active = changed(self.book, changes, self._who, _now().isoformat(timespec="milliseconds"))
        lifted = [
            (RegisterKey("isolated", one.rule, one.after.version).encode(), None)
            for one in changes
            if one.lifts
        ]
        told = [
            RuleChange(
                rule=one.rule,
                version=one.after.version,
                status=one.after.status,
                before=one.before,
            )
            for one in changes
        ]
        records = [
            *self._spoilt(),
            *self._versions(of_files, ""),
            *lifted,
            (ACTIVE_KEY, encode_register(active)),
        ]
        self._write(deed, records, RuleChanges(number=active.number, changes=told))
        return active.number

    def isolate(self, rule: str, version: int, errors: int) -> None:
        """Have a live rule that raised so often run in shadow."""
        at, active = _now(), self.book.state.active
        before = active.rules.get(rule) if active else None
        change = RuleChange(
            rule=rule,
            version=version,
            status="shadow",
            before=before or Standing(version, "live"),
        )
        told = Isolated(
            errors=errors,
            worker=self._who.partition("@")[2],
            at=at.isoformat(timespec="milliseconds"),
        )
        key = RegisterKey("isolated", rule, version).encode()
        data = RuleChanges(number=0, changes=[change])
        self._write("rules.isolated", [(key, encode_register(told))], data, at)

    def _spoilt(self) -> Iterable[_Record]:
        """But for what is in force: it stands behind the versions that it names."""
        for key, known in self.book.spoilt().items():
            if key != ACTIVE_KEY:
                yield key, None if known is None else encode_register(known)

    def _as_it_is(self) -> Iterable[_Record]:
        """What is in force, where something else is sent again."""
        if self.book.state.active is not None and self.book.spoilt():
            yield ACTIVE_KEY, encode_register(self.book.state.active)

    def _versions(
        self, brought: Iterable[tuple[RuleDefinition, str]], author: str
    ) -> Iterable[tuple[bytes, bytes]]:
        at = _now().isoformat(timespec="milliseconds")
        for rule, source in brought:
            text = rule.model_dump_json(by_alias=True, exclude={"examples"}, exclude_none=True)
            version = RuleVersion(definition=text, source=source, author=author, at=at)
            key = RegisterKey("rule", rule.id, rule.version)
            yield key.encode(), encode_register(version)

    def _write(
        self,
        deed: Deed,
        records: Sequence[_Record],
        told: RuleChanges,
        at: datetime | None = None,
    ) -> None:
        for key, value in records:
            if len(value or b"") > MAX_MESSAGE_BYTES:
                raise RegistrarError(f"{key.decode()} has more than {MAX_MESSAGE_BYTES:,} bytes")
        audited = Audited(
            id=str(uuid4()), type=deed, subject=self._who, time=at or _now(), data=told
        )
        try:
            if self._transactions:
                self._producer.begin_transaction()
            for key, value in records:
                self._produce(RULES_TOPIC, key, value)
            self._produce(AUDIT_TOPIC, self._who.encode(), encode_audited(audited))
            if self._transactions:
                self._producer.commit_transaction(_ANSWER_S)
            elif self._producer.flush(_ANSWER_S):
                self._refused = self._refused or "no acknowledgement in time"
        except KafkaException as error:
            raise RegistrarError(self._explained(error.args[0])) from error
        if self._refused:
            raise RegistrarError(f"Kafka did not take the change: {self._refused}")

    def _produce(self, topic: str, key: bytes, value: bytes | None) -> None:
        self._producer.produce(topic, value, key, partition=0, on_delivery=self._delivered)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        _ = message
        if error is not None:
            self._refused = error.str()

    def _explained(self, error: KafkaError) -> str:
        if error.code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH):
            return (
                "somebody else changed the rules meanwhile, so this change was not made: "
                "look at `vipcare rules status`, and do it again"
            )
        return f"Kafka did not take the change: {error.str()}"


def _now() -> datetime:
    return datetime.now(UTC)
