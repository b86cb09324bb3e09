-- Actions: what rules did by themselves, and processes that they asked for. The message id is derived from
-- what caused it, so a message that was sent or inserted twice counts once under FINAL, which the view adds.
CREATE TABLE IF NOT EXISTS actions_raw
(
    `partition` Int32 COMMENT 'Kafka partition of the message',
    `offset` Int64 COMMENT 'Kafka offset of the message',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `id` String COMMENT 'Message id, derived from what caused it',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: who sent it',
    `customer` String COMMENT 'For whom it was done',
    `time` DateTime64(3, 'UTC') COMMENT 'Time of what caused it, bank time',
    `action_id` String COMMENT 'Names the action',
    `action` LowCardinality(String) COMMENT 'process (was asked for), tag, untag, interest, note',
    `name` LowCardinality(String) COMMENT 'The process, the tag, the interest, what a note is about',
    `changed` Bool COMMENT 'False where there was nothing to do: the customer has the tag already, say',
    `kind` LowCardinality(String) COMMENT 'care, opportunity, risk or service',
    `title` Map(String, String) COMMENT 'Title of the rule by language: zh, en',
    `text` Map(String, String) COMMENT 'What a note or a process says, by language, with the values filled in; empty for others',
    `rm` Nullable(String) COMMENT 'Relationship manager of the customer at that time',
    `tier` LowCardinality(Nullable(String)) COMMENT 'Tier of the customer at that time',
    `rule_id` LowCardinality(String) COMMENT 'Rule that did it',
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
ORDER BY (customer, action_id, id)
COMMENT 'Storage of the actions: read the view actions';

CREATE OR REPLACE VIEW actions AS
SELECT * FROM actions_raw FINAL
COMMENT 'What rules did by themselves, and processes that they asked for';
