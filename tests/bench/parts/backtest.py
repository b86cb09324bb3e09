"""How fast rules are backtested: a simulated bank's archive with the whole library, on one core.

In CPU time, reading and splitting the archive included; all cores share the customers.
"""

import sys
import tempfile
import time
from itertools import takewhile
from pathlib import Path

from agents.backtest.archived import read_files
from agents.backtest.job import Question
from agents.backtest.run import run
from agents.bank.facts import facts
from agents.bank.lines import to_line
from agents.bank.plan import Plan
from agents.bank.simulation import messages
from agents.core import core_settings
from agents.rules import read_rules
from config.load import load_settings
from streams.backtest.tally import Span
from tests.bench.parts.part import Options, Part, run_alone

CUSTOMERS = 1_000
HISTORY_DAYS = 90
_ORIGIN = 1_767_575_400_000
_LEAST = 30_000
"""Events a second that are promised."""


def measure(options: Options) -> Part:
    core = core_settings(load_settings())
    rules = read_rules((), core)[0].definitions
    question = Question(rules, (), core, Span(0, 0, core.time_zone))
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as folder:
        archive = Path(folder) / "bank.jsonl"
        options.say(f"backtest: writing {HISTORY_DAYS} days")
        _write(archive, options.scaled(CUSTOMERS))
        options.say(f"backtest: {len(rules)} rules over {archive.stat().st_size:,} bytes")
        began = time.process_time()
        result = run(read_files([archive]), question, sys.maxsize, 1, lambda *_: None)
        took = time.process_time() - began
    rate = result.messages / took
    fired = sum(one.became.total() for one in result.tally.rules.values())
    lines = [
        f"backtest of {len(rules)} rules over {result.messages:,} messages: {rate:,.0f} a second "
        f"on a core ({took / result.messages * 1e6:.1f} µs each), {fired:,} firings"
    ]
    if rate < _LEAST:
        lines.append(f"BELOW {_LEAST:,} a second")
    figures = {"messages_per_second": round(rate), "rules": len(rules), "fired": fired}
    return Part({"backtest": {**figures, "messages": result.messages}}, lines)


def _write(path: Path, customers: int) -> None:
    plan = Plan(
        origin=_ORIGIN,
        seed=7,
        customers=customers,
        history_days=HISTORY_DAYS,
        rate=1.0,
        pace=1.0,
        duplicates=0.01,
        late=0.005,
        broken=0.002,
    )
    with path.open("wb") as file:
        for one in facts(plan):
            file.write(to_line(one) + b"\n")
        for one in takewhile(lambda one: one.at < _ORIGIN, messages(plan)):
            file.write(to_line(one) + b"\n")


if __name__ == "__main__":
    run_alone(measure)
