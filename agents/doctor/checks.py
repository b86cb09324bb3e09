"""Every question that there is, in the order in which they are told."""

from agents.doctor import clickhouse, kafka, machine
from agents.doctor.finding import Check
from agents.doctor.rights import rights
from agents.doctor.topics import topics
from agents.doctor.trial import trial
from agents.rights import Role

_WORKER: frozenset[Role] = frozenset({"worker"})
_SINK: frozenset[Role] = frozenset({"sink"})

CHECKS = (
    Check("kafka", kafka.reachable),
    Check("wires", kafka.wires),
    Check("topics", topics, after="kafka"),
    Check("transactions", kafka.transactions, _WORKER | _SINK, after="kafka"),
    Check("limits", kafka.limits, _WORKER | _SINK, after="transactions"),
    Check("rights", rights, after="transactions"),
    Check("clickhouse", clickhouse.reachable, _SINK),
    Check("schema", clickhouse.schema, _SINK, after="clickhouse"),
    Check("clock", clickhouse.clock, _SINK, after="clickhouse"),
    Check("disk", clickhouse.disk, _SINK, after="clickhouse"),
    Check("store", machine.store, _WORKER),
    Check("machine", machine.machine, _WORKER),
    Check("calendar", machine.calendar, _WORKER),
    Check("attributes", machine.attributes, _WORKER, after="calendar"),
    Check("rules", machine.rules, _WORKER, after="attributes"),
)
TRIAL = Check("trial", trial, after="transactions")
"""Only when asked for: it writes."""
