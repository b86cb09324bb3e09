-- Rules that were warmed are on vip.audit, too.
ALTER TABLE audit_raw
    ADD COLUMN IF NOT EXISTS `customers` Nullable(Int64) COMMENT 'Of rules.warmed: how many customers had something in a window that was filled',
    ADD COLUMN IF NOT EXISTS `since` Nullable(DateTime64(3, 'UTC')) COMMENT 'Of rules.warmed: how far back the archive went, bank time',
    COMMENT COLUMN `deed` 'rules.seeded, rules.published, rules.approved, rules.rolled_back, rules.isolated or rules.warmed';

CREATE OR REPLACE VIEW audit AS
SELECT time, who, deed, rule_id, rule_version, status, before_version, before_status, publication, customers, since, id, offset, received
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
