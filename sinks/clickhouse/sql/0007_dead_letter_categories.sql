-- Dead letters get a category, and the place of the first letter if one is refused again. What was
-- refused by the worker and what by ClickHouse are two letters of one original, so the category is
-- part of the key; a column of the key has no default, so the view fills in that of older rows.
ALTER TABLE dead_letters_raw
    ADD COLUMN IF NOT EXISTS `category` LowCardinality(String) COMMENT 'Who mends it: malformed, misrouted, time, conflict, reference, too_large, refused or fault' AFTER `reason`,
    ADD COLUMN IF NOT EXISTS `first` String COMMENT 'Of a replayed message that was refused again: topic[partition]@offset of the original of its first dead letter; else empty',
    COMMENT COLUMN `reason` 'Why: broken, wrong_key, future, conflict, no_base_amount, oversize, failed or refused',
    MODIFY ORDER BY (topic, partition, offset, category);

CREATE OR REPLACE VIEW dead_letters AS
SELECT * REPLACE (
    if(
        category = '',
        transform(
            reason,
            ['broken', 'wrong_key', 'future', 'conflict', 'oversize', 'failed'],
            ['malformed', 'misrouted', 'time', 'conflict', 'too_large', 'fault'],
            ''
        ),
        category
    ) AS category
)
FROM dead_letters_raw FINAL
LIMIT 1 BY topic, partition, offset, category
COMMENT 'Every message that was refused, once';
