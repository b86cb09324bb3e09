-- Decisions: what rules would have done, where it was withheld. The message id is derived from what
-- caused it, so a message that was sent or inserted twice counts once under FINAL, which the view adds.
CREATE TABLE IF NOT EXISTS decisions_raw
(
    `partition` Int32 COMMENT 'Kafka partition of the message',
    `offset` Int64 COMMENT 'Kafka offset of the message',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `id` String COMMENT 'Message id, derived from what caused it',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: who sent it',
    `customer` String COMMENT 'Whose decision it is',
    `time` DateTime64(3, 'UTC') COMMENT 'Time of what caused it, bank time',
    `decision_id` String COMMENT 'Names the decision',
    `outcome` LowCardinality(String) COMMENT 'Why nothing was done: shadow (the rule is on trial) or held_out (this customer is one of those for whom it is withheld)',
    `actions` Array(LowCardinality(String)) COMMENT 'What the rule would have sent: task, alert',
    `kind` LowCardinality(String) COMMENT 'care, opportunity, risk or service',
    `title` Map(String, String) COMMENT 'Title by language: zh, en',
    `text` Map(String, String) COMMENT 'Text by language, with the values filled in',
    `rm` Nullable(String) COMMENT 'Relationship manager of the customer at that time',
    `tier` LowCardinality(Nullable(String)) COMMENT 'Tier of the customer at that time',
    `rule_id` LowCardinality(String) COMMENT 'Rule that would have acted',
    `rule_version` Int64 COMMENT 'Version of the rule',
    `values` Map(String, String) COMMENT 'Values that made the rule fire, by the names the rule gives them, as text',
    `cause_source` LowCardinality(String) COMMENT 'Source of the event that caused it',
    `cause_id` String COMMENT 'Id of the event that caused it; with cause_source it names an event of events',
    `cause_type` LowCardinality(String) COMMENT 'Type of the event that caused it',
    `cause_time` DateTime64(3, 'UTC') COMMENT 'When the event that caused it happened, bank time',
    `cause_topic` LowCardinality(String) COMMENT 'Kafka topic of the event that caused it',
    `cause_partition` Int64 COMMENT 'Kafka partition of the event that caused it',
    `cause_offset` Int64 COMMENT 'Kafka offset of the event that caused it',
    `waited_until` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the wait of a rule that waits after its event ended, bank time; NULL for other rules'
)
ENGINE = ReplacingMergeTree
ORDER BY (customer, decision_id, id)
COMMENT 'Storage of the decisions: read the view decisions';

CREATE OR REPLACE VIEW decisions AS
SELECT * FROM decisions_raw FINAL
COMMENT 'What rules would have done: those on trial, and for customers for whom it is withheld';
