-- What was refused, and why; never its content, which stays in Kafka (`vipcare dead-letters show`).
CREATE TABLE IF NOT EXISTS dead_letters_raw
(
    `letter_partition` Int32 COMMENT 'Kafka partition of the dead letter in vip.dead-letters',
    `letter_offset` Int64 COMMENT 'Kafka offset of the dead letter in vip.dead-letters',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the dead letter: real time',
    `reason` LowCardinality(String) COMMENT 'Category: broken, wrong_key, future, conflict, oversize or failed',
    `detail` String COMMENT 'What is wrong and where, without any value',
    `topic` LowCardinality(String) COMMENT 'Kafka topic of the original message',
    `partition` Int64 COMMENT 'Kafka partition of the original message',
    `offset` Int64 COMMENT 'Kafka offset of the original message',
    `length` Int64 COMMENT 'Bytes of the original message',
    `sha256` String COMMENT 'SHA-256 of the original message, hexadecimal',
    `event_type` LowCardinality(String) COMMENT 'CloudEvents type of the original, empty if it could not be read',
    `event_source` LowCardinality(String) COMMENT 'CloudEvents source of the original, empty if it could not be read',
    `event_id` String COMMENT 'CloudEvents id of the original, empty if it could not be read'
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset)
COMMENT 'Storage of the dead letters: read the view dead_letters';

CREATE OR REPLACE VIEW dead_letters AS
SELECT * FROM dead_letters_raw FINAL
COMMENT 'Every message that was refused, once';
