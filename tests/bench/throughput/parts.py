"""The parts `same-outputs`, `tiny`, `bank` and `library` of the benchmark."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console, RenderableType

from tests.bench.parts.part import Measure, Options, Part
from tests.bench.throughput.bank import bank, library
from tests.bench.throughput.bank_facts import Facts, facts
from tests.bench.throughput.contenders import CONTENDERS
from tests.bench.throughput.core import core_us
from tests.bench.throughput.ground import apache_kafka, embedded_broker
from tests.bench.throughput.measure import GroundOf, How, Outcome, measure
from tests.bench.throughput.outputs import on_one_topic, outputs
from tests.bench.throughput.tiny import tiny
from tests.bench.throughput.workload import Workload

_FULL = 0.5
"""From this scale on: three runs, at 4 and 12 partitions."""


class Choice(NamedTuple):
    contenders: Sequence[str] = ()
    """Names; empty: all."""
    embedded: bool = False
    """On the embedded broker, which has no transactions: ours alone."""

    @property
    def ground_of(self) -> GroundOf:
        return embedded_broker if self.embedded else apache_kafka


def parts(choice: Choice) -> dict[str, Measure]:
    made: dict[str, Callable[[Options, Choice], Part]] = {
        "tiny": _tiny,
        "bank": _bank,
        "library": _library,
    }
    if not choice.embedded:
        made = {"same-outputs": _same_outputs, **made}
    return {
        name: lambda options, part=part: part(options, choice)  # type: ignore[misc]  # bound early
        for name, part in made.items()
    }


def _tiny(options: Options, choice: Choice) -> Part:
    workload = tiny(max(options.scaled(1_200_000), 800_000))
    return _part("tiny", measure(workload, choice.ground_of, _how(options, choice), options.say))


def _bank(options: Options, choice: Choice) -> Part:
    options.say("bank: making its customers and events")
    workload = bank(max(options.scaled(300_000), 80_000))
    found = facts(workload)
    found.check()
    return _of_bank(workload, found, options, choice)


def _library(options: Options, choice: Choice) -> Part:
    options.say("library: making its customers and events")
    workload = library(max(options.scaled(300_000), 80_000))
    return _of_bank(workload, facts(workload), options, choice)


def _of_bank(workload: Workload, found: Facts, options: Options, choice: Choice) -> Part:
    name = workload.name
    options.say(str(found))
    core = core_us(workload)
    how = _how(options, choice)._replace(warm_s=4.0, measured_s=60.0)
    part = _part(name, measure(workload, choice.ground_of, how, options.say))
    more = {f"{name}_facts": found._asdict(), f"{name}_core_cpu_us_per_event": round(core, 1)}
    line = (
        f"the pure core takes {core:.1f} µs of CPU an event of {name}, its records decoded before"
    )
    return Part({**part.figures, **more}, [str(found), *part.lines, line])


def _same_outputs(options: Options, choice: Choice) -> Part:
    notes: list[str] = []
    counts = {
        workload.name: outputs(workload, choice.ground_of, options.say, notes)
        for workload in (tiny(20_000, customers=500), on_one_topic(bank(4_000, customers=1_000)))
    }
    lines = [
        f"{name}: {len(by_name)} contenders sent the same {by_name['ours']:,} effects"
        for name, by_name in counts.items()
    ]
    return Part({"same_outputs": counts, "incomplete_runs": notes}, [*lines, *notes])


def _how(options: Options, choice: Choice) -> How:
    full = options.scale >= _FULL
    return How(
        partitions=(4, 12) if full and not choice.embedded else (4,),
        runs=3 if full else 1,
        warm_s=2.0,
        measured_s=5.0 if full else 3.0,
        only=("ours",) if choice.embedded else choice.contenders,
    )


def _part(name: str, outcome: Outcome) -> Part:
    figures = {"throughput": {name: outcome.figures}, "ratios": outcome.ratios}
    if outcome.notes:
        figures["notes"] = {name: outcome.notes}
    tuning = [
        f"  {one.title}{f' ({one.option})' if one.module else ''}: {one.tuning}"
        for one in CONTENDERS
        if one.name in outcome.names
    ]
    tables = [_text(table) for table in outcome.tables]
    return Part(figures, [*tables, "Tuned:", *tuning, *outcome.notes])


def _text(table: RenderableType) -> str:
    page = Console(file=io.StringIO(), width=150)
    page.print(table)
    assert isinstance(page.file, io.StringIO)
    return page.file.getvalue().rstrip()
