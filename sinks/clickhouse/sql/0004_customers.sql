-- Customers as their summaries tell them, a row for each version of a summary.
CREATE TABLE IF NOT EXISTS customers_raw
(
    `partition` Int32 COMMENT 'Kafka partition of the message',
    `offset` Int64 COMMENT 'Kafka offset of the message',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `id` String COMMENT 'Message id of this version, derived from what caused it',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: who sent it',
    `customer` String COMMENT 'The customer',
    `time` DateTime64(3, 'UTC') COMMENT 'Time of what caused it, bank time',
    `version` Int64 COMMENT 'Counts the summaries of the customer from 1',
    `name` Nullable(String) COMMENT 'PERSONAL: identifies a person. Name of the customer',
    `tier` LowCardinality(Nullable(String)) COMMENT 'Tier that the bank gave the customer',
    `rm` Nullable(String) COMMENT 'Relationship manager',
    `residence` LowCardinality(Nullable(String)) COMMENT 'Where the customer lives: a country, province or city',
    `language` LowCardinality(Nullable(String)) COMMENT 'Language to speak and write to the customer',
    `opened_on` Nullable(String) COMMENT 'Customer since, YYYY-MM-DD in the time zone of the bank',
    `tags` Array(String) COMMENT 'Tags that the customer has, sorted',
    `accounts` Int64 COMMENT 'How many accounts are open',
    `base_balance` Decimal(38, 4) COMMENT 'Sum of their reported balances in the base currency of the bank',
    `deposits` Int64 COMMENT 'How many deposits are open',
    `base_deposits` Decimal(38, 4) COMMENT 'Sum of their principals in the base currency of the bank',
    `next_maturity` Nullable(String) COMMENT 'When the next deposit matures, YYYY-MM-DD in the time zone of the bank',
    `cause_source` LowCardinality(String) COMMENT 'Source of the event that caused it',
    `cause_id` String COMMENT 'Id of the event that caused it; with cause_source it names an event of events',
    `cause_type` LowCardinality(String) COMMENT 'Type of the event that caused it',
    `cause_time` DateTime64(3, 'UTC') COMMENT 'When the event that caused it happened, bank time',
    `cause_topic` LowCardinality(String) COMMENT 'Kafka topic of the event that caused it',
    `cause_partition` Int64 COMMENT 'Kafka partition of the event that caused it',
    `cause_offset` Int64 COMMENT 'Kafka offset of the event that caused it'
)
ENGINE = ReplacingMergeTree
ORDER BY (customer, version, id)
COMMENT 'Storage of the customer summaries: read the views customers and customers_history';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
