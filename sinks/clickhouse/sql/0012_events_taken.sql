-- What the worker refused does not stand for its event: the first message of an id may be dated ahead,
-- and the bank sends it again under the same id. Dead letters of the sink (refused) are of messages that
-- the worker has applied.
CREATE OR REPLACE VIEW events_unique AS
SELECT * FROM events_raw FINAL
WHERE (topic, partition, offset) NOT IN
(
    SELECT topic, partition, offset FROM dead_letters_raw WHERE reason != 'refused'
)
ORDER BY received, topic, partition, offset
LIMIT 1 BY customer, source, id
COMMENT 'Every event that the worker took, once: the first message of each source and id that it did not refuse';
