-- Greetings: actions whose text is in the one language that was chosen for the customer.
ALTER TABLE actions_raw
    ADD COLUMN IF NOT EXISTS `occasion` LowCardinality(Nullable(String)) COMMENT 'Occasion of a greeting; NULL for other actions',
    ADD COLUMN IF NOT EXISTS `channels` Array(LowCardinality(String)) COMMENT 'Channels that a greeting may take, the best first: those that the customer refused are left out';

ALTER TABLE actions_raw
    COMMENT COLUMN `action` 'process (was asked for), greeting, tag, untag, interest, note',
    COMMENT COLUMN `name` 'The process, the template of the greeting, the tag, the interest, what a note is about';

ALTER TABLE decisions_raw
    COMMENT COLUMN `outcome` 'Why nothing was done: shadow (the rule is on trial), held_out (this customer is one of those for whom it is withheld) or refused (a greeting, by the customer, on all its channels)',
    COMMENT COLUMN `actions` 'What the rule would have done: task, alert, process, greeting, untag, tag, interest, note';

CREATE OR REPLACE VIEW actions AS
SELECT * FROM actions_raw FINAL
COMMENT 'What rules did by themselves, and processes that they asked for';
