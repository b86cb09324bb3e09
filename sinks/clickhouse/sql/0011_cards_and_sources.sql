-- Cards, benefits and loans one by one, and where interests are known from. The views list the columns
-- they had when they were made, so they are made anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `interest_sources` Map(String, String) COMMENT 'Interest to who said so last, where that is known',
    ADD COLUMN IF NOT EXISTS `loans_by_month` Map(String, Decimal(38, 4)) COMMENT 'Month (2026-03) to what was owed at its end, the last 13; of the newest month as it was told last; empty without loans',
    ADD COLUMN IF NOT EXISTS `card_details` Array(Tuple(card String, product String, currency String, `limit` Nullable(Decimal(38, 4)), limit_until Nullable(String), amount_due Nullable(Decimal(38, 4)), due_on Nullable(String))) COMMENT 'Cards with their limits and last statements, in the currency of each; sorted by card',
    ADD COLUMN IF NOT EXISTS `benefit_uses` Map(String, Int64) COMMENT 'Benefit to how often it was used',
    ADD COLUMN IF NOT EXISTS `base_benefit_costs` Map(String, Decimal(38, 4)) COMMENT 'Benefit to what that cost in the base currency of the bank, where it cost something';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
