"""A million timers that wait, 5,000 of them due every second: how late they fire, and restarts.

200,000 customers place 5 deposits each; a rule waits until 7 days before a deposit's maturity at
09:00 and then raises an alert. Due times fall on one minute of a day, so the bank clock is made to
run a day in a tenth of a second, and maturities are spread evenly over 2,000 days: 500 timers fall
due together, ten times a second, over 200 seconds. The deposits are taken in before, by a clock
that runs at the usual pace; then the worker is started again with the fast one.

How late is real time: from the moment at which the bank clock says that a timer is due until
its alert is readable by `read_committed`. In it is `worker.expected_delay_ms` (200 ms by default),
for which timers wait on purpose for events that are still on their way. Restarts happen while
timers go on falling due: from the start of the process to the first alert. After kill -9 the group
waits for the session of the killed one (6 s) before it gives its partitions to anybody.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from config.settings import ClockSettings, Settings, StepSettings
from tests.bench.parts.drain import cpu_seconds
from tests.bench.parts.effects import Seen, reading
from tests.bench.parts.journal import follow
from tests.bench.parts.part import Options, Part, percentile, run_alone, scratch
from tests.bench.parts.traffic import TOPIC, Sender, customer
from tests.lane.process import Worker

CUSTOMERS = 200_000
DEPOSITS = 5
DUE_A_SECOND = 5_000
_DAY_S = 0.1
"""Real seconds that a bank day takes while timers fire."""
_RATE = 86_400 / _DAY_S
_ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
_WAIT_DAYS = 7
_FIRST_DAY = 150
"""Days after the origin on which the first timers fall due: the worker is up by then."""
_ON_TIME_S = 20.0
_AFTER_RESTART_S = 12.0

_RULE = f"""\
id: bench-deposit-maturing
version: 1
title: {{en: A deposit matures, zh: 存款即将到期}}
kind: opportunity
owner: Benchmark
status: live
on: deposit.placed
wait: {{days: {_WAIT_DAYS}, before: matures_on, at: "09:00"}}
if: base_principal >= 1
then:
  alert:
    text: {{en: "{{base_principal}} matures", zh: "{{base_principal}} 即将到期"}}
"""


class _Story(NamedTuple):
    clock: ClockSettings
    seen: list[Seen]
    steady: tuple[float, float]
    """From when to when the worker ran undisturbed, epoch seconds."""
    cpu_seconds: float
    """Of the worker's process in that time."""
    restarts: dict[str, float]
    """How it ended → seconds from the start of the next one to its first alert."""


def measure(options: Options) -> Part:
    customers = options.scaled(CUSTOMERS)
    with scratch() as settings:
        assert settings.worker.rules is not None, "scratch gives some"
        (settings.worker.rules / "bench-deposit-maturing.yaml").write_text(_RULE)
        calm = ClockSettings(rate=1.0, origin=_ORIGIN, started=datetime.now(UTC))
        _load(options, _with_clock(settings, calm), customers)
        story = _run(options, settings)
    return _part(story, customers * DEPOSITS)


def _with_clock(settings: Settings, clock: ClockSettings) -> Settings:
    # Dates are UTC's, so that a day of theirs has no edge of a time zone in it.
    return settings.model_copy(update={"clock": clock, "step": StepSettings(time_zone="UTC")})


def _load(options: Options, settings: Settings, customers: int) -> None:
    timers = customers * DEPOSITS
    options.say(f"{timers:,} deposits of {customers:,} customers")
    sender, chance = Sender(settings.kafka, linger_ms=20), random.Random(5)
    days = round(CUSTOMERS * DEPOSITS / (DUE_A_SECOND * _DAY_S))  # fewer a day in a trial
    for number in range(timers):
        who = customer(number // DEPOSITS)
        day = _ORIGIN.date() + timedelta(_FIRST_DAY + _WAIT_DAYS + chance.randrange(days))
        sender.send(TOPIC, who.encode(), _deposit(number, who, day))
    sender.flush()
    options.say("the worker takes them in")
    with Worker(settings) as worker:
        for _ in follow(settings, timers, timeout_s=600):
            pass
        worker.wait_ready().stop()


def _deposit(number: int, who: str, matures: date) -> bytes:
    return (
        f'{{"specversion":"1.0","id":"deposit-{number}","source":"bench",'
        f'"type":"deposit.placed","subject":"{who}","time":"{_ORIGIN.isoformat()}",'
        f'"data":{{"deposit":"D{number}","principal":"{1_000 + number}","currency":"CNY",'
        f'"base_principal":"{1_000 + number}","rate":"0.02","matures_on":"{matures}"}}}}'
    ).encode()


def _run(options: Options, settings: Settings) -> _Story:
    clock = ClockSettings(rate=_RATE, origin=_ORIGIN, started=datetime.now(UTC))
    worker = Worker(_with_clock(settings, clock))
    started: dict[str, float] = {}
    with reading(settings.kafka, "vip.alerts", settings.topics.partitions) as effects, worker:
        worker.wait_ready()
        begin = max(time.time(), _real(clock, _ORIGIN + timedelta(_FIRST_DAY + 1)))
        options.say(f"timers fall due in {begin - time.time():.1f} s, for {_ON_TIME_S:g} s")
        _sleep_until(begin)
        cpu = -cpu_seconds(worker)
        _sleep_until(begin + _ON_TIME_S)
        cpu += cpu_seconds(worker)
        end = time.time()
        endings: dict[str, Callable[[], object]] = {"stop": worker.stop, "kill": worker.kill}
        for name, ending in endings.items():
            options.say(f"{name}, and start again")
            ending()
            started[name] = time.time()
            worker.start().wait_ready()
            time.sleep(_AFTER_RESTART_S)
        worker.stop()
        seen = effects.end()
    firsts = {name: _first(seen, at) - at for name, at in started.items()}
    return _Story(clock, seen, (begin, end), cpu, firsts)


def _real(clock: ClockSettings, bank: datetime | float) -> float:
    """The real time, epoch seconds, at which it is some bank time."""
    assert clock.origin is not None, "set"
    assert clock.started is not None, "set"
    when = bank if isinstance(bank, float) else bank.timestamp()
    return clock.started.timestamp() + (when - clock.origin.timestamp()) / clock.rate


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def _first(seen: list[Seen], since: float) -> float:
    return next(one.at for one in seen if one.at > since)


def _late(story: _Story) -> Iterator[tuple[float, float]]:
    """When a timer was due, and how late its alert was; real seconds."""
    for one in story.seen:
        assert one.waited_until is not None, "only the rule that waits fires here"
        due = _real(story.clock, one.waited_until)
        yield due, one.at - due


def _part(story: _Story, pending: int) -> Part:
    begin, end = story.steady
    late = sorted(by for due, by in _late(story) if begin <= due < end - 1)
    fired = sum(begin <= one.at <= end for one in story.seen)
    figures: dict[str, Any] = {
        "pending": pending,
        "fired_per_second": round(fired / (end - begin)),
        "cpu_us_per_timer": round(story.cpu_seconds / max(fired, 1) * 1e6),
        "due_per_second": round(len(late) / (end - 1 - begin)),
        "late_s": {
            "p50": round(percentile(late, 50), 3),
            "p99": round(percentile(late, 99), 3),
            "max": round(late[-1], 3),
        },
        "first_fire_after_stop_s": round(story.restarts["stop"], 2),
        "first_fire_after_kill_s": round(story.restarts["kill"], 2),
    }
    return Part(
        {"timers": figures},
        [
            f"Timers: {pending:,} wait, {figures['due_per_second']:,} a second fall due: fired "
            f"{figures['late_s']['p50']} s after their time (p50), p99 {figures['late_s']['p99']} "
            f"s, the latest {figures['late_s']['max']} s",
            f"  {figures['cpu_us_per_timer']} µs CPU a timer; from a start to the first timer: "
            f"{figures['first_fire_after_stop_s']} s after an orderly stop, "
            f"{figures['first_fire_after_kill_s']} s after kill -9",
        ],
    )


if __name__ == "__main__":
    run_alone(measure)
