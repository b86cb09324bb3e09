-- Alerts, a row for each version. The message id is derived from what caused it, so a message that
-- was sent or inserted twice counts once under FINAL, which the views add.
CREATE TABLE IF NOT EXISTS alerts_raw
(
    `partition` Int32 COMMENT 'Kafka partition of the message',
    `offset` Int64 COMMENT 'Kafka offset of the message',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `id` String COMMENT 'Message id of this version, derived from what caused it',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: who sent it',
    `customer` String COMMENT 'Whose alert it is',
    `time` DateTime64(3, 'UTC') COMMENT 'Time of what caused it, bank time',
    `alert_id` String COMMENT 'Names the alert; its versions share it',
    `version` Int64 COMMENT 'Counts the versions of the alert from 1',
    `state` LowCardinality(String) COMMENT 'open or closed, from this version on',
    `change` LowCardinality(String) COMMENT 'What this version does: raised, amended or retracted',
    `kind` LowCardinality(String) COMMENT 'care, opportunity, risk or service',
    `severity` LowCardinality(String) COMMENT 'How bad: low, normal, high or urgent',
    `title` Map(String, String) COMMENT 'Title by language: zh, en',
    `text` Map(String, String) COMMENT 'Text by language, with the values filled in',
    `rm` Nullable(String) COMMENT 'Relationship manager of the customer at that time',
    `tier` LowCardinality(Nullable(String)) COMMENT 'Tier of the customer at that time',
    `rule_id` LowCardinality(String) COMMENT 'Rule that raised the alert',
    `rule_version` Int64 COMMENT 'Version of the rule',
    `values` Map(String, String) COMMENT 'Values that made the rule fire, by the names the rule gives them, as text',
    `cause_source` LowCardinality(String) COMMENT 'Source of the event that caused it',
    `cause_id` String COMMENT 'Id of the event that caused it; with cause_source it names an event of events',
    `cause_type` LowCardinality(String) COMMENT 'Type of the event that caused it',
    `cause_time` DateTime64(3, 'UTC') COMMENT 'When the event that caused it happened, bank time',
    `cause_topic` LowCardinality(String) COMMENT 'Kafka topic of the event that caused it',
    `cause_partition` Int64 COMMENT 'Kafka partition of the event that caused it',
    `cause_offset` Int64 COMMENT 'Kafka offset of the event that caused it'
)
ENGINE = ReplacingMergeTree
ORDER BY (customer, alert_id, version, id)
COMMENT 'Storage of the alerts: read the views alerts and alerts_current';

CREATE OR REPLACE VIEW alerts AS
SELECT * FROM alerts_raw FINAL
COMMENT 'Every version of every alert';

CREATE OR REPLACE VIEW alerts_current AS
SELECT * FROM alerts_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer, alert_id
COMMENT 'Every alert as it is now: its last version';
