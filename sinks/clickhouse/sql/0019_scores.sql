-- Scores that rules reckon. The views list the columns they had when they were made, so they are made
-- anew.
ALTER TABLE customers_raw
    ADD COLUMN IF NOT EXISTS `scores` Map(String, Int64) COMMENT 'Score to its points, as rules reckoned them last',
    ADD COLUMN IF NOT EXISTS `high_scores` Array(LowCardinality(String)) COMMENT 'Scores that reached their threshold and were not released since';

CREATE OR REPLACE VIEW customers_history AS
SELECT * FROM customers_raw FINAL
COMMENT 'Every version of every customer summary';

CREATE OR REPLACE VIEW customers AS
SELECT * FROM customers_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer
COMMENT 'Every customer as now: the last version of the summary';
