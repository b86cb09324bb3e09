"""All parts, by the names under which `--only` finds them, in the order in which they run."""

from tests.bench.parts import (
    backtest,
    bank_rate,
    latency,
    producers,
    rebalance,
    records,
    restore,
    rule_sets,
    scaling,
    sink,
    sink_away,
    timers,
    two_workers,
)
from tests.bench.parts.part import Measure

PARTS: dict[str, Measure] = {
    "records": records.measure,
    "backtest": backtest.measure,
    "latency": latency.measure,
    "restore": restore.measure,
    "scaling": scaling.measure,
    "rebalance": rebalance.measure,
    "two-workers": two_workers.measure,
    "producers": producers.measure,
    "timers": timers.measure,
    "rule-sets": rule_sets.measure,
    "sink": sink.measure,
    "sink-away": sink_away.measure,
    "bank-rate": bank_rate.measure,
}
