-- Every decodable message of the keyed inputs, one row for each place in Kafka. The sort key ends in
-- that place, so a batch that is inserted twice counts once under FINAL, which the view adds.
CREATE TABLE IF NOT EXISTS events_raw
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic of the message',
    `partition` Int32 COMMENT 'Kafka partition of the message',
    `offset` Int64 COMMENT 'Kafka offset of the message; topic, partition and offset name the row',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time, when its producer made it',
    `type` LowCardinality(String) COMMENT 'CloudEvents type, such as transfer.completed',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: the system that sent it; with id it names the event',
    `id` String COMMENT 'CloudEvents id, unique within its source',
    `customer` String COMMENT 'CloudEvents subject: whose event it is, the Kafka key',
    `time` DateTime64(3, 'UTC') COMMENT 'When it happened, bank time, cut to milliseconds',
    `amount` Nullable(Decimal(18, 4)) COMMENT 'Amount in currency: transfers, payments, products, loans, journeys, outcomes, redeemed deposits',
    `base_amount` Nullable(Decimal(18, 4)) COMMENT 'The amount in the base currency of the bank',
    `currency` LowCardinality(Nullable(String)) COMMENT 'ISO 4217 code of the amounts that are not in the base currency',
    `direction` LowCardinality(Nullable(String)) COMMENT 'Of a transfer: in or out',
    `account` Nullable(String) COMMENT 'Account: opened, closed, transferred from or to, or its balance reported',
    `base_balance` Nullable(Decimal(18, 4)) COMMENT 'Reported balance in the base currency of the bank',
    `base_principal` Nullable(Decimal(18, 4)) COMMENT 'Principal of a deposit in the base currency of the bank',
    `card` Nullable(String) COMMENT 'Card: issued, paid with, its limit or statement',
    `merchant` Nullable(String) COMMENT 'Who was paid by card',
    `category` LowCardinality(Nullable(String)) COMMENT 'Merchant category code, ISO 18245',
    `country` LowCardinality(Nullable(String)) COMMENT 'Where a card payment was made, ISO 3166-1 alpha-2',
    `counterparty_country` LowCardinality(Nullable(String)) COMMENT 'The other end of a transfer, ISO 3166-1 alpha-2',
    `channel` LowCardinality(Nullable(String)) COMMENT 'How it came: app, web, branch, wechat, phone',
    `page` LowCardinality(Nullable(String)) COMMENT 'Page that was viewed',
    `page_topic` LowCardinality(Nullable(String)) COMMENT 'What the page is about, such as study-abroad',
    `journey` LowCardinality(Nullable(String)) COMMENT 'Piece of business started, completed or abandoned in the app',
    `product` LowCardinality(Nullable(String)) COMMENT 'Product bought, redeemed, looked at or issued',
    `about` LowCardinality(Nullable(String)) COMMENT 'Subject of a complaint, call, visit, message or question',
    `severity` LowCardinality(Nullable(String)) COMMENT 'Of a complaint or suggestion: low, normal or high',
    `task` Nullable(String) COMMENT 'Task that CRM feedback is about: task_id of tasks',
    `outcome` LowCardinality(Nullable(String)) COMMENT 'What became of a task: won, lost, resolved, no_interest or other',
    `reason` LowCardinality(Nullable(String)) COMMENT 'Why: a payment declined, an account closed, a transfer reversed, a task declined',
    `score` Nullable(Int64) COMMENT 'Answer to a survey; the best possible one is in rest',
    `rest` String COMMENT 'Further fields of data as JSON text; amounts are strings, personal fields are left out'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(time)
ORDER BY (type, customer, time, topic, partition, offset)
COMMENT 'Storage of the events as they stand in Kafka: read the views events and events_unique';

CREATE OR REPLACE VIEW events AS
SELECT * FROM events_raw FINAL
COMMENT 'Every event message, duplicates that were sent included';

-- The first of each (source, id) of a customer. As the worker does, it tells duplicates apart within
-- a customer; naming the customer lets a filter on it reach the index.
CREATE OR REPLACE VIEW events_unique AS
SELECT * FROM events_raw FINAL
ORDER BY received, topic, partition, offset
LIMIT 1 BY customer, source, id
COMMENT 'Every event once: the first message of each source and id';
