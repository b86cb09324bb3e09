-- What people did, from vip.audit: every message a row, a rule that it changed a row of the view.
CREATE TABLE IF NOT EXISTS audit_raw
(
    `offset` Int64 COMMENT 'Kafka offset of the message on vip.audit',
    `received` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the message: real time',
    `time` DateTime64(3, 'UTC') COMMENT 'When it was done: real time',
    `who` String COMMENT 'Who did it, as named by --as',
    `deed` LowCardinality(String) COMMENT 'rules.seeded, rules.published, rules.approved or rules.rolled_back',
    `id` String COMMENT 'CloudEvents id; the rules that were changed together have the same',
    `publication` Int64 COMMENT 'Counts the sets that were put in force; 0 where what is in force did not change',
    `rules` Array(String) COMMENT 'The rules that were changed',
    `versions` Array(Int64) COMMENT 'The version of each',
    `statuses` Array(String) COMMENT 'What each is in force as; of a published one, what its author asks for',
    `before_versions` Array(Nullable(Int64)) COMMENT 'The version of each that was in force before',
    `before_statuses` Array(Nullable(String)) COMMENT 'What that was in force as'
)
ENGINE = ReplacingMergeTree
ORDER BY offset
COMMENT 'Storage of the audit: read the view audit';

CREATE OR REPLACE VIEW audit AS
SELECT time, who, deed, rule_id, rule_version, status, before_version, before_status, publication, id, offset, received
FROM audit_raw FINAL
ARRAY JOIN rules AS rule_id, versions AS rule_version, statuses AS status,
           before_versions AS before_version, before_statuses AS before_status
COMMENT 'Who changed which rule, from what to what, and when';

ALTER TABLE audit
    COMMENT COLUMN `rule_id` 'The rule that was changed',
    COMMENT COLUMN `rule_version` 'Its version',
    COMMENT COLUMN `status` 'What it is in force as; where it was published alone, what its author asks for',
    COMMENT COLUMN `before_version` 'The version that was in force before; NULL if none was',
    COMMENT COLUMN `before_status` 'What that was in force as; NULL if none was';
