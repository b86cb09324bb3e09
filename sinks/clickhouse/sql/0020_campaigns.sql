-- Campaigns, and holidays of the bank's own: facts of bank.campaign, beside the others.
ALTER TABLE facts_raw
    COMMENT COLUMN `topic` 'Kafka topic of the message: bank.reference, bank.org or bank.campaign',
    COMMENT COLUMN `kind` 'What it is a fact about: exchange_rate, interest_rate, product, branch, team, rm, absence, campaign or holiday';

CREATE OR REPLACE VIEW campaigns AS
SELECT name AS campaign, JSONExtractString(data, 'category') AS category,
       map('zh', JSONExtractString(data, 'title_zh'), 'en', JSONExtractString(data, 'title_en')) AS title,
       JSONExtractString(data, 'starts_on') AS starts_on,
       JSONExtractString(data, 'ends_on') AS ends_on,
       JSONExtract(data, 'audience', 'Nullable(String)') AS audience,
       JSONExtract(data, 'place', 'Nullable(String)') AS place,
       JSONExtract(data, 'seats', 'Nullable(Int64)') AS seats,
       toDecimal128OrNull(JSONExtractString(data, 'base_cost'), 4) AS base_cost, time
FROM facts WHERE kind = 'campaign'
COMMENT 'Campaigns and sponsored events, past and planned';

ALTER TABLE campaigns
    COMMENT COLUMN `campaign` 'The campaign',
    COMMENT COLUMN `category` 'What it is: golf, concert, …',
    COMMENT COLUMN `title` 'Language → its name',
    COMMENT COLUMN `starts_on` 'YYYY-MM-DD in the time zone of the bank',
    COMMENT COLUMN `ends_on` 'YYYY-MM-DD in the time zone of the bank; after it nobody is told any more',
    COMMENT COLUMN `audience` 'The tag of those who are meant; NULL: all',
    COMMENT COLUMN `place` 'Where it is',
    COMMENT COLUMN `seats` 'For how many guests',
    COMMENT COLUMN `base_cost` 'For each guest, in the base currency',
    COMMENT COLUMN `time` 'From when on customers are told of it, bank time';
