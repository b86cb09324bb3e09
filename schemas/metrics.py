"""Every metric there is: the one closed list. Data only; sinks/metrics.py builds them.

Names end in their unit; counters end in `_total`. Labels take few values: partitions, topics,
rule ids, reasons. No label or value ever holds event data.
"""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_MILLISECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SIZES = (1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)

# -- The worker: what its partition runners did -------------------------------------------------
EVENTS = Metric("vipcare_events_total", "counter", "Messages taken into a chunk.", ("topic",))
APPLIED = Metric("vipcare_events_applied_total", "counter", "Events applied to a record.")
DUPLICATES = Metric(
    "vipcare_events_duplicate_total", "counter", "Events dropped: seen before, same content."
)
LATE = Metric(
    "vipcare_events_late_total", "counter", "Events applied, but too late for the windows."
)
TIMERS = Metric("vipcare_timers_fired_total", "counter", "Customers whose due timers were fired.")
TOLD = Metric("vipcare_broadcasts_told_total", "counter", "Customers told of a broadcast.")
FILLED = Metric(
    "vipcare_windows_filled_total", "counter", "Customers whose windows were filled from history."
)
UNKNOWN = Metric("vipcare_events_unknown_total", "counter", "Events of a type not known here.")
UNDECLARED = Metric(
    "vipcare_attributes_undeclared_total",
    "counter",
    "Attributes of customer.updated that nobody declared, and that were left out.",
)
DEAD_LETTERS = Metric(
    "vipcare_dead_letters_total",
    "counter",
    "Events that became a dead letter.",
    ("topic", "category", "reason"),
)
RULE_FIRED = Metric("vipcare_rule_fired_total", "counter", "Firings of a rule.", ("rule",))
RULE_WITHHELD = Metric(
    "vipcare_rule_withheld_total",
    "counter",
    "Firings whose actions were recorded and not done: shadow, held_out.",
    ("rule", "outcome"),
)
RULE_AMENDED = Metric(
    "vipcare_rule_amended_total",
    "counter",
    "Tasks and alerts of a rule that followed a late or reversed event: amended, retracted.",
    ("rule", "change"),
)
RULE_FAILED = Metric(
    "vipcare_rule_failures_total", "counter", "Evaluations of a rule that raised.", ("rule",)
)
EFFECTS = Metric("vipcare_effects_total", "counter", "Effects committed.", ("topic",))

# -- The worker: how its chunks go ---------------------------------------------------------------
CHUNK_EVENTS = Metric("vipcare_chunk_events", "histogram", "Messages in a chunk.", buckets=_SIZES)
STEP_SECONDS = Metric(
    "vipcare_chunk_step_seconds", "histogram", "Stepping a chunk in memory.", buckets=_MILLISECONDS
)
COMMIT_SECONDS = Metric(
    "vipcare_chunk_commit_seconds",
    "histogram",
    "Sending a chunk's results and committing them.",
    buckets=_MILLISECONDS,
)
STORE_SECONDS = Metric(
    "vipcare_chunk_store_seconds",
    "histogram",
    "Writing a committed chunk to the local store.",
    buckets=_MILLISECONDS,
)

# -- The worker: where it stands -----------------------------------------------------------------
POSITION = Metric(
    "vipcare_position", "gauge", "Next offset to take, committed.", ("topic", "partition")
)
LAG = Metric(
    "vipcare_lag",
    "gauge",
    "Messages between the position and the end of the topic; 0 once all are applied.",
    ("topic", "partition"),
)
PARTITIONS = Metric("vipcare_partitions", "gauge", "Partition numbers this worker runs.")
READY = Metric("vipcare_ready", "gauge", "1 while every assigned partition is restored and read.")
STALLED = Metric("vipcare_stalled", "gauge", "1 while nothing gets on although Kafka answers.")
BEHIND = Metric("vipcare_behind", "gauge", "1 while there is something to do.", ("partition",))
STUCK_SECONDS = Metric(
    "vipcare_stuck_seconds",
    "gauge",
    "For how long there has been something to do, and the position has not moved.",
    ("partition",),
)
RESTORED = Metric(
    "vipcare_restored_records_total", "counter", "Records read back from the changelog."
)
RESTORE_SECONDS = Metric(
    "vipcare_restore_seconds", "gauge", "How long the last restore took, from assignment to ready."
)
RESTORE_LEFT = Metric(
    "vipcare_restore_left",
    "gauge",
    "Offsets of the changelog that a partition being restored lacks; at most so many records.",
    ("partition",),
)

# -- The worker: reference data and organisation -------------------------------------------------
FACTS = Metric("vipcare_facts", "gauge", "Facts in force.", ("kind",))
FACTS_POSITION = Metric(
    "vipcare_facts_position", "gauge", "Next offset of a global topic to read.", ("topic",)
)
FACTS_REFUSED = Metric(
    "vipcare_facts_refused_total",
    "counter",
    "Messages of a global topic that are no fact; the one before stays in force.",
    ("topic",),
)

# -- The worker: its rules -----------------------------------------------------------------------
RULES_REGISTER = Metric(
    "vipcare_rules_register",
    "gauge",
    "Offset of vip.rules that the rules in force follow from; 0: they are of files.",
)
RULES_SINCE = Metric(
    "vipcare_rules_since_seconds", "gauge", "Since when they are in force here, Unix time."
)
RULES_RUNNING = Metric("vipcare_rules_running", "gauge", "Rules that are live or in shadow.")
RULES_ISOLATED = Metric(
    "vipcare_rules_isolated", "gauge", "Versions of rules in shadow because they raised too often."
)
RULES_RELOAD_SECONDS = Metric(
    "vipcare_rules_reload_seconds", "gauge", "How long compiling those in force took."
)
RULES_REFUSED = Metric(
    "vipcare_rules_refused_total",
    "counter",
    "Messages and states of vip.rules that cannot be used; the rules before stay in force.",
)

# -- The worker: its standbys, warm copies of partitions that other workers run -------------------
STANDBYS = Metric("vipcare_standby_partitions", "gauge", "Partition numbers kept as standbys.")
STANDBY_LAG = Metric(
    "vipcare_standby_lag",
    "gauge",
    "Offsets of the changelog that a standby lacks.",
    ("partition",),
)
STANDBY_RECORDS = Metric(
    "vipcare_standby_records_total", "counter", "Records copied from the changelog into standbys."
)

# -- The worker: its cache of decoded records ----------------------------------------------------
CACHE_HITS = Metric("vipcare_cache_hits_total", "counter", "Records found decoded.")
CACHE_MISSES = Metric("vipcare_cache_misses_total", "counter", "Records read from the store.")
CACHE_BYTES = Metric("vipcare_cache_bytes", "gauge", "Decoded records, approximately.")
PINNED_BYTES = Metric(
    "vipcare_cache_pinned_bytes", "gauge", "Encoded records that the local store lacks yet."
)

WORKER: tuple[Metric, ...] = (
    EVENTS,
    APPLIED,
    DUPLICATES,
    LATE,
    TIMERS,
    TOLD,
    FILLED,
    UNKNOWN,
    UNDECLARED,
    DEAD_LETTERS,
    RULE_FIRED,
    RULE_WITHHELD,
    RULE_AMENDED,
    RULE_FAILED,
    EFFECTS,
    CHUNK_EVENTS,
    STEP_SECONDS,
    COMMIT_SECONDS,
    STORE_SECONDS,
    POSITION,
    LAG,
    PARTITIONS,
    READY,
    STALLED,
    BEHIND,
    STUCK_SECONDS,
    RESTORED,
    RESTORE_SECONDS,
    RESTORE_LEFT,
    FACTS,
    FACTS_POSITION,
    FACTS_REFUSED,
    RULES_REGISTER,
    RULES_SINCE,
    RULES_RUNNING,
    RULES_ISOLATED,
    RULES_RELOAD_SECONDS,
    RULES_REFUSED,
    STANDBYS,
    STANDBY_LAG,
    STANDBY_RECORDS,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_BYTES,
    PINNED_BYTES,
)
"""What `vipcare worker` exposes."""

# -- The sink ------------------------------------------------------------------------------------
SINK_ROWS = Metric("vipcare_sink_rows_total", "counter", "Rows inserted.", ("table",))
SINK_SKIPPED = Metric(
    "vipcare_sink_skipped_total",
    "counter",
    "Messages that no table holds: broken, of an unknown type, or empty.",
    ("topic", "why"),
)
SINK_BATCH_MESSAGES = Metric(
    "vipcare_sink_batch_messages", "histogram", "Messages in a batch.", buckets=(*_SIZES, 20_000.0)
)
SINK_INSERT_SECONDS = Metric(
    "vipcare_sink_insert_seconds", "histogram", "An insert.", ("table",), _MILLISECONDS
)
SINK_FAILURES = Metric(
    "vipcare_sink_failures_total",
    "counter",
    "Tries that failed and are made again, by why: disk, memory, tables, kafka and so on.",
    ("why",),
)
SINK_REFUSED = Metric(
    "vipcare_sink_refused_total",
    "counter",
    "Rows that ClickHouse does not take; they are dead letters.",
    ("table",),
)
SINK_PENDING = Metric(
    "vipcare_sink_pending_batches", "gauge", "Batches that were taken and are not stored."
)
SINK_NEWEST_AGE = Metric(
    "vipcare_sink_newest_row_age_seconds",
    "gauge",
    "Since the newest row stored by this process was made, by Kafka's timestamp of it.",
    ("table",),
)
SINK_WAITING = Metric(
    "vipcare_sink_waiting", "gauge", "1 while ClickHouse is away, or Kafka for a dead letter."
)
SINK_POSITION = Metric(
    "vipcare_sink_position", "gauge", "Next offset to take, committed.", ("topic", "partition")
)
SINK_LAG = Metric(
    "vipcare_sink_lag",
    "gauge",
    "Messages between the position and the end of the topic; 0 once all are stored.",
    ("topic", "partition"),
)
SINK_STALLED = Metric(
    "vipcare_sink_stalled", "gauge", "1 while nothing gets on although all it needs answers."
)

SINK: tuple[Metric, ...] = (
    SINK_ROWS,
    SINK_SKIPPED,
    SINK_BATCH_MESSAGES,
    SINK_INSERT_SECONDS,
    SINK_FAILURES,
    SINK_REFUSED,
    SINK_PENDING,
    SINK_NEWEST_AGE,
    SINK_WAITING,
    SINK_POSITION,
    SINK_LAG,
    SINK_STALLED,
)
"""What `vipcare sink` exposes."""
