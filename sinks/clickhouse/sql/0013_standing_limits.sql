-- The limits that hold when temporary ones are over. The views list the columns they had when they were
-- made, so they are made anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `standing_limits` Map(String, Decimal(38, 4)) COMMENT 'Card with a temporary limit to the limit that holds after it, in the currency of the card, where that is known';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
