"""Many rules: how long they take to load, what an event costs beside them, what a reload holds up.

Loading is what a worker does with 2,000 rules out of the register: reading their records, checking
and compiling them. An event's cost is that of the core alone, on one core, with 200 live rules and
with 2,000, where the same 50 listen to the events that are measured; the runs take turns, and the
shortest pass of each counts. The reload is on the lane: a worker with 2,000 rules takes 1,000
transfers a second while a rule is changed every second and a half. The time from an event to its
alert, readable by `read_committed`, is set beside that of as many seconds without a change: a
reload cannot hold the lane up for longer than the longest of them.
"""

import time
from collections.abc import Iterator, Sequence

from confluent_kafka import Producer
from msgspec.structs import replace

from agents.core import rule_set
from agents.librdkafka import librdkafka_config
from agents.registrar import Registrar
from config.settings import KafkaSettings, Settings
from schemas.events import EVENT_TYPES
from schemas.record import Record
from schemas.rule_register import (
    ACTIVE_KEY,
    RULES_TOPIC,
    RegisterKey,
    RuleVersion,
    Standing,
    encode_register,
)
from schemas.rules import RuleDefinition
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of
from streams.rules.lifecycle import changed, seeded
from streams.rules.register import RuleBook
from streams.rules.ruleset import RuleSet
from tests.bench.parts.effects import Seen, reading
from tests.bench.parts.latency import figures
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.traffic import TOPIC, customer, pace, transfer
from tests.lane.process import Worker

MANY, FEW, LISTENING = 2_000, 200, 50
CUSTOMERS = 500
EVENTS = 20_000
PASSES = 5
_RATE = 1_000
_CHANGES = 8
_PAUSE_S = 1.5
_WARM_S = 15.0


def measure(options: Options) -> Part:
    load_s = _load_seconds(options)
    few, many = _cost(options)
    calm, busy, reload_s = _reload(options)
    figures_ = {
        "load_2000_s": round(load_s, 2),
        "us_an_event_200": round(few, 2),
        "us_an_event_2000": round(many, 2),
        "cost_2000_to_200": round(many / few, 2),
        "reload_s": round(reload_s, 3),
        "latency_ms_calm": calm,
        "latency_ms_reloading": busy,
    }
    return Part(
        {"rule_sets": figures_},
        [
            f"Rules: {MANY:,} of the register are read and compiled in {load_s:.2f} s; an event "
            f"that {LISTENING} listen to costs {few:.1f} µs beside {FEW}, {many:.1f} µs beside "
            f"{MANY:,}",
            f"  one of {MANY:,} changed every {_PAUSE_S} s, compiled in {reload_s:.3f} s: an alert "
            f"comes after {busy['p50']} ms (p50), p99 {busy['p99']}, at most {busy['max']}; "
            f"without changes {calm['p50']}, {calm['p99']}, {calm['max']}",
        ],
    )


def rules(number: int, types: Sequence[str]) -> list[RuleDefinition]:
    """So many, the same number for each type."""
    return [_rule(one, types[one % len(types)]) for one in range(number)]


def _rule(number: int, event_type: str, version: int = 1) -> RuleDefinition:
    let = {
        "day": f"count({event_type}, 1d)",
        "month": f"count({event_type}, 30d)",
        "much": f"count({event_type}, {5 + number // 40}d)",
    }
    kinds = [
        f"day >= {100 + number} and profile.tier == 'diamond'",
        f"month >= {1_000 + number}",
        f"much > {500 + number} and day > {number}",
        f"'golf' in tags and day >= {90 + version}",
    ]
    texts = {"en": f"{{day}} a day, {number}", "zh": f"每日 {{day}} 次，{number}"}
    return RuleDefinition.model_validate(
        {
            "id": f"rule-{number}",
            "version": version,
            "title": {"en": f"Rule {number}", "zh": f"规则 {number}"},
            "kind": "service",
            "owner": "Benchmark",
            "status": "live",
            "on": event_type,
            "let": let,
            "if": kinds[number % len(kinds)],
            "then": {"task": {"text": texts}},
            "cooldown": "7d",
        }
    )


def _types() -> list[str]:
    """Forty, the transfers first."""
    first = "transfer.completed"
    return [first, *(name for name in EVENT_TYPES if name != first)][: MANY // LISTENING]


def _load_seconds(options: Options) -> float:
    options.say(f"{MANY:,} rules are loaded")
    messages = [*_messages(rules(MANY, _types()))]
    core = CoreSettings(partitions=4)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        book = RuleBook()
        for offset, (key, value) in enumerate(messages):
            assert not book.take(Raw("vip.rules", 0, offset, key, value))
        assert core.compiler().compile(book.definitions(book.state, ())).running == MANY
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _messages(definitions: Sequence[RuleDefinition]) -> Iterator[tuple[bytes, bytes]]:
    for one in definitions:
        text = one.model_dump_json(by_alias=True, exclude={"examples"}, exclude_none=True)
        version = RuleVersion(definition=text, source=text, author="bench", at="")
        yield RegisterKey("rule", one.id, one.version).encode(), encode_register(version)
    active = changed(RuleBook(), seeded(definitions), "bench", "")
    yield ACTIVE_KEY, encode_register(active)


def _cost(options: Options) -> tuple[float, float]:
    """Microseconds of CPU an event, with few rules and with many."""
    options.say(f"an event beside {FEW} rules and beside {MANY:,}")
    core, types = CoreSettings(partitions=1), _types()
    sets = [core.compiled(rules(number, types[: number // LISTENING])) for number in (FEW, MANY)]
    entries = [*_entries(options.scaled(EVENTS), core)]
    least = [float("inf"), float("inf")]
    for _ in range(PASSES):
        for place, rule_set_ in enumerate(sets):
            least[place] = min(least[place], _pass(entries, rule_set_, core))
    return least[0], least[1]


def _entries(events: int, core: CoreSettings) -> Iterator[Entry]:
    for number in range(events):
        who = customer(number % CUSTOMERS)
        key, value = who.encode(), transfer(number, who, 100, "cost")
        yield read(Raw(TOPIC, partition_of(key, 1), number, key, value), core)


def _pass(entries: Sequence[Entry], rule_set_: RuleSet, core: CoreSettings) -> float:
    records: dict[str, Record] = {}

    def load(who: str) -> Record:
        return records.setdefault(who, Record(who))

    context = Context(time.time_ns() // 1_000_000 + 1_000, rule_set_, core)
    begun = time.process_time()
    for first in range(0, len(entries), 2_000):
        outcome = apply_chunk(entries[first : first + 2_000], load, context)
        assert not outcome.dead_letters
    return (time.process_time() - begun) / len(entries) * 1e6


def _reload(options: Options) -> tuple[dict[str, float], dict[str, float], float]:
    seconds = max(3, options.scaled(_CHANGES)) * _PAUSE_S
    with scratch() as settings:
        options.say(f"{MANY:,} rules go into the register")
        everything = [*rule_set(settings).definitions, *rules(MANY, _types())]
        with Registrar(settings, "bench") as register:
            of_files = [(one, "") for one in everything]
            register.put_in_force("rules.seeded", seeded(everything), of_files)
        changes = iter([*_prepared(settings, 2 * _CHANGES)])
        with Worker(settings) as worker, reading(settings.kafka, "vip.alerts", 4) as effects:
            worker.wait_ready()
            options.say(f"{_RATE} events/s, half of the time with a change every {_PAUSE_S} s")
            with pace(settings.kafka, _RATE, _WARM_S + 2 * seconds + 3, CUSTOMERS, "go") as wait:
                time.sleep(_WARM_S)
                begun = time.time()
                time.sleep(seconds)
                changing = time.time()
                reloads = [*_change(worker, changes, settings.kafka, changing + seconds)]
                ended = time.time()
                wait()
            seen = effects.end()
            worker.stop()
    calm = _figures(seen, begun, changing)
    return calm, _figures(seen, changing, ended), max(reloads)


def _change(
    worker: Worker, changes: Iterator[bytes], kafka: KafkaSettings, until: float
) -> Iterator[float]:
    """Changes a rule that listens to what is sent, again and again; gives how long each took.

    What is written was made before: the machine has other things to do now.
    """
    producer = Producer({**librdkafka_config(kafka), "acks": "all"})
    while time.time() < until:
        begun, before = time.time(), worker.total("vipcare_rules_register")
        producer.produce(RULES_TOPIC, next(changes), ACTIVE_KEY, partition=0)
        producer.flush()
        worker.wait_until(lambda: worker.total("vipcare_rules_register") > before)  # noqa: B023
        yield worker.total("vipcare_rules_reload_seconds")
        time.sleep(max(0.0, begun + _PAUSE_S - time.time()))


def _prepared(settings: Settings, number: int) -> Iterator[bytes]:
    """What puts the versions of a rule in force one after the other, all of them published."""
    with Registrar(settings, "bench") as register:
        versions = [_rule(0, "transfer.completed", version) for version in range(2, number + 2)]
        register.publish([(one, "") for one in versions])
        active = register.book.state.active
        assert active is not None
        for one in versions:
            standing = Standing(one.version, "live")
            yield encode_register(replace(active, rules=active.rules | {one.id: standing}))


def _figures(seen: Sequence[Seen], begin: float, end: float) -> dict[str, float]:
    return figures([one for one in seen if one.caused < end], begin)


if __name__ == "__main__":
    run_alone(measure)
