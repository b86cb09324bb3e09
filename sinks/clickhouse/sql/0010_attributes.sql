-- The fields that the bank adds itself. The views list the columns they had when they were made, so
-- they are made anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `attributes` Map(LowCardinality(String), String) COMMENT 'Attributes that the bank declared and that are not sensitive, as text: numbers and days plainly, true or false, a list as JSON; one that the customer has not is absent';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
