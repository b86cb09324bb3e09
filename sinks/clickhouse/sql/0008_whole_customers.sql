-- The whole customer: everything that a summary tells. The views list the columns they had when they
-- were made, so they are made anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `occupation` LowCardinality(Nullable(String)) COMMENT 'What the customer does for a living',
    ADD COLUMN IF NOT EXISTS `family` Int64 COMMENT 'How many members of the family are known',
    ADD COLUMN IF NOT EXISTS `consents_given` Array(String) COMMENT 'Consents that were given, each as purpose/channel, sorted',
    ADD COLUMN IF NOT EXISTS `consents_refused` Array(String) COMMENT 'Consents that were refused, each as purpose/channel, sorted',
    ADD COLUMN IF NOT EXISTS `interests` Array(String) COMMENT 'Interests that were recorded, sorted',
    ADD COLUMN IF NOT EXISTS `relations` Array(String) COMMENT 'Relations to other customers, each as OTHER RELATION, or OTHER <RELATION where the other one named it; sorted',
    ADD COLUMN IF NOT EXISTS `holdings` Int64 COMMENT 'How many wealth products, funds, insurances and the like are held',
    ADD COLUMN IF NOT EXISTS `base_wealth` Decimal(38, 4) COMMENT 'Wealth products, what was paid less what was redeemed, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `base_funds` Decimal(38, 4) COMMENT 'Funds, likewise',
    ADD COLUMN IF NOT EXISTS `base_insurance` Decimal(38, 4) COMMENT 'Insurances, likewise',
    ADD COLUMN IF NOT EXISTS `base_other` Decimal(38, 4) COMMENT 'Products of other classes, likewise',
    ADD COLUMN IF NOT EXISTS `loans` Int64 COMMENT 'How many loans are not repaid',
    ADD COLUMN IF NOT EXISTS `base_loans` Decimal(38, 4) COMMENT 'What is owed of them in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `base_assets` Decimal(38, 4) COMMENT 'Balances, deposits and products together, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `base_net` Decimal(38, 4) COMMENT 'Assets less loans, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `assets_by_month` Map(String, Decimal(38, 4)) COMMENT 'Month (2026-03) to the assets at its end, the last 13; of the newest month as they were told last',
    ADD COLUMN IF NOT EXISTS `cards` Int64 COMMENT 'How many cards are known',
    ADD COLUMN IF NOT EXISTS `base_inflow` Decimal(38, 4) COMMENT 'Transfers in during the last three whole months, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `base_outflow` Decimal(38, 4) COMMENT 'Transfers out during the last three whole months, likewise',
    ADD COLUMN IF NOT EXISTS `base_spent` Decimal(38, 4) COMMENT 'Card payments during the last three whole months, likewise',
    ADD COLUMN IF NOT EXISTS `categories` Array(String) COMMENT 'Merchant categories with the highest spending in those months, the first first',
    ADD COLUMN IF NOT EXISTS `regular_inflows` Int64 COMMENT 'How many senders pay in about the same month after month: a salary, a rent',
    ADD COLUMN IF NOT EXISTS `base_regular_inflow` Decimal(38, 4) COMMENT 'What they bring in a month, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `contacts` Int64 COMMENT 'How many contacts there were, on every channel, since the record began',
    ADD COLUMN IF NOT EXISTS `last_contact_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the last of them was, bank time',
    ADD COLUMN IF NOT EXISTS `benefits` Int64 COMMENT 'How often a benefit was used',
    ADD COLUMN IF NOT EXISTS `base_benefit_cost` Decimal(38, 4) COMMENT 'What that cost, in the base currency of the bank',
    ADD COLUMN IF NOT EXISTS `base_contribution` Decimal(38, 4) COMMENT 'What the customer brings in a year: an estimate in the base currency of the bank';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
