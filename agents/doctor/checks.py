"""Every question that there is, in the order in which they are told."""

from agents.doctor import clickhouse, kafka, machine
from agents.doctor.finding import Check
from agents.doctor.topics import topics
from agents.doctor.trial import trial

_WORKER = frozenset({"worker"})
_SINK = frozenset({"sink"})

CHECKS = (
    Check("kafka", kafka.reachable),
    Check("wires", kafka.wires),
    Check("topics", topics, after="kafka"),
    Check("limits", kafka.limits, _WORKER | _SINK, after="kafka"),
    Check("clickhouse", clickhouse.reachable, _SINK),
    Check("schema", clickhouse.schema, _SINK, after="clickhouse"),
    Check("clock", clickhouse.clock, _SINK, after="clickhouse"),
    Check("disk", clickhouse.disk, _SINK, after="clickhouse"),
    Check("store", machine.store, _WORKER),
    Check("machine", machine.machine, _WORKER),
    Check("rules", machine.rules, _WORKER),
)
TRIAL = Check("trial", trial, after="kafka")
"""Only when asked for: it writes."""
