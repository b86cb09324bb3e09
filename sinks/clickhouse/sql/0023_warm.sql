-- Effects say whether their rule was warm. The views list the columns they had when they were made, so
-- they are made anew.
ALTER TABLE tasks_raw ADD COLUMN IF NOT EXISTS
    `warm` Bool DEFAULT true COMMENT 'False: the windows of the rule did not hold all that it looks back at yet, it is too young for that';

CREATE OR REPLACE VIEW tasks AS
SELECT * FROM tasks_raw FINAL
COMMENT 'Every version of every task';

CREATE OR REPLACE VIEW tasks_current AS
SELECT * FROM tasks_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer, task_id
COMMENT 'Every task as it is now: its last version';

ALTER TABLE alerts_raw ADD COLUMN IF NOT EXISTS
    `warm` Bool DEFAULT true COMMENT 'False: the windows of the rule did not hold all that it looks back at yet, it is too young for that';

CREATE OR REPLACE VIEW alerts AS
SELECT * FROM alerts_raw FINAL
COMMENT 'Every version of every alert';

CREATE OR REPLACE VIEW alerts_current AS
SELECT * FROM alerts_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer, alert_id
COMMENT 'Every alert as it is now: its last version';

ALTER TABLE actions_raw ADD COLUMN IF NOT EXISTS
    `warm` Bool DEFAULT true COMMENT 'False: the windows of the rule did not hold all that it looks back at yet, it is too young for that';

CREATE OR REPLACE VIEW actions AS
SELECT * FROM actions_raw FINAL
COMMENT 'What rules did by themselves, and processes that they asked for';

ALTER TABLE decisions_raw ADD COLUMN IF NOT EXISTS
    `warm` Bool DEFAULT true COMMENT 'False: the windows of the rule did not hold all that it looks back at yet, it is too young for that';

CREATE OR REPLACE VIEW decisions AS
SELECT * FROM decisions_raw FINAL
COMMENT 'What rules would have done: those on trial, and for customers for whom it is withheld';
