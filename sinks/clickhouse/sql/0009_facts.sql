-- Facts of bank.reference and bank.org: every message a row, removals included. The topics are
-- compacted, so what was replaced long ago is here alone.
CREATE TABLE IF NOT EXISTS facts_raw
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic of the message: bank.reference or bank.org',
    `offset` Int64 COMMENT 'Kafka offset of the message; the last of a kind and name holds',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `kind` LowCardinality(String) COMMENT 'What it is a fact about: exchange_rate, interest_rate, product, branch, team, rm or absence',
    `name` String COMMENT 'Which one: a currency, a product, an RM; kind:name is the Kafka key',
    `removed` Bool COMMENT 'It holds no more: the message had no value',
    `time` DateTime64(3, 'UTC') COMMENT 'When it was told, bank time; of a removal, when Kafka took it',
    `source` LowCardinality(String) COMMENT 'CloudEvents source: the system that sent it',
    `id` String COMMENT 'CloudEvents id, unique within its source',
    `data` String COMMENT 'Its fields as JSON text; amounts and rates are strings, personal fields are left out'
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, name, topic, offset)
COMMENT 'Storage of the facts: read the views facts, facts_history and those of each kind';

CREATE OR REPLACE VIEW facts_history AS
SELECT * FROM facts_raw FINAL
COMMENT 'Every fact that was ever told, and removals';

CREATE OR REPLACE VIEW facts AS
SELECT * FROM
(
    SELECT * FROM facts_raw FINAL
    ORDER BY offset DESC
    LIMIT 1 BY kind, name
)
WHERE NOT removed
COMMENT 'Every fact as now: the last of each kind and name';

CREATE OR REPLACE VIEW exchange_rates AS
SELECT name AS currency, toDecimal64OrNull(JSONExtractString(data, 'rate'), 8) AS rate, time
FROM facts WHERE kind = 'exchange_rate'
COMMENT 'Exchange rates in force: units of the base currency for one of currency';

CREATE OR REPLACE VIEW interest_rates AS
SELECT name AS interest_rate, toDecimal64OrNull(JSONExtractString(data, 'rate'), 8) AS rate,
       JSONExtract(data, 'currency', 'Nullable(String)') AS currency,
       JSONExtract(data, 'term_months', 'Nullable(Int64)') AS term_months, time
FROM facts WHERE kind = 'interest_rate'
COMMENT 'Interest rates in force';

CREATE OR REPLACE VIEW products AS
SELECT name AS product, JSONExtractString(data, 'product_class') AS product_class,
       JSONExtract(data, 'title', 'Map(String, String)') AS title,
       JSONExtract(data, 'currency', 'Nullable(String)') AS currency,
       JSONExtract(data, 'risk_level', 'Nullable(Int64)') AS risk_level,
       toDecimal64OrNull(JSONExtractString(data, 'rate'), 8) AS rate,
       JSONExtract(data, 'offered_from', 'Nullable(String)') AS offered_from,
       JSONExtract(data, 'offered_until', 'Nullable(String)') AS offered_until, time
FROM facts WHERE kind = 'product'
COMMENT 'The product catalogue in force';

CREATE OR REPLACE VIEW rms AS
SELECT name AS rm, JSONExtract(data, 'team', 'Nullable(String)') AS team,
       JSONExtract(data, 'branch', 'Nullable(String)') AS branch,
       JSONExtract(data, 'skills', 'Array(String)') AS skills,
       JSONExtract(data, 'languages', 'Array(String)') AS languages,
       JSONExtract(data, 'deputy', 'Nullable(String)') AS deputy,
       JSONExtract(data, 'active', 'Nullable(Bool)') AS active, time
FROM facts WHERE kind = 'rm'
COMMENT 'Relationship managers as now';

CREATE OR REPLACE VIEW absences AS
SELECT name AS absence, JSONExtractString(data, 'rm') AS rm,
       JSONExtractString(data, 'first_day') AS first_day,
       JSONExtractString(data, 'last_day') AS last_day,
       JSONExtract(data, 'deputy', 'Nullable(String)') AS deputy, time
FROM facts WHERE kind = 'absence'
COMMENT 'Absences of relationship managers, past and planned';

ALTER TABLE exchange_rates
    COMMENT COLUMN `currency` 'ISO 4217',
    COMMENT COLUMN `rate` 'Units of the base currency of the bank for one of currency';

ALTER TABLE interest_rates
    COMMENT COLUMN `interest_rate` 'Which one, such as mortgage or deposit-12m',
    COMMENT COLUMN `rate` 'Per year, a fraction',
    COMMENT COLUMN `currency` 'ISO 4217, NULL if it holds for any',
    COMMENT COLUMN `term_months` 'For how long, in months';

ALTER TABLE products
    COMMENT COLUMN `product` 'The product',
    COMMENT COLUMN `product_class` 'wealth, fund, insurance, private-equity, …',
    COMMENT COLUMN `title` 'Language → what a customer reads',
    COMMENT COLUMN `currency` 'ISO 4217',
    COMMENT COLUMN `risk_level` 'As the bank grades it, 1 is the least',
    COMMENT COLUMN `rate` 'Expected per year, a fraction',
    COMMENT COLUMN `offered_from` 'First day of the offer, YYYY-MM-DD in the time zone of the bank',
    COMMENT COLUMN `offered_until` 'Last day of the offer, YYYY-MM-DD in the time zone of the bank';

ALTER TABLE rms
    COMMENT COLUMN `rm` 'Relationship manager',
    COMMENT COLUMN `team` 'Team of the RM',
    COMMENT COLUMN `branch` 'Branch of the RM',
    COMMENT COLUMN `skills` 'What the RM is good at: fx, trust, insurance, …',
    COMMENT COLUMN `languages` 'Languages of the RM',
    COMMENT COLUMN `deputy` 'Who stands in while no absence names another',
    COMMENT COLUMN `active` 'NULL counts as true; false for one who has left';

ALTER TABLE absences
    COMMENT COLUMN `absence` 'The absence',
    COMMENT COLUMN `rm` 'Who is away',
    COMMENT COLUMN `first_day` 'YYYY-MM-DD in the time zone of the bank',
    COMMENT COLUMN `last_day` 'YYYY-MM-DD in the time zone of the bank',
    COMMENT COLUMN `deputy` 'Who stands in, NULL: the deputy of the RM';
