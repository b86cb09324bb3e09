-- What fell off the record, so that who reads a sum sees that it lacks something. The views list the
-- columns they had when they were made, so they are made anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `dropped` Map(String, Int64) COMMENT 'What the record keeps no longer (accounts, holdings, ...) to how many: the sums lack it; empty for nearly all customers';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
