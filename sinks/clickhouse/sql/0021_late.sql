-- Rules that can be amended: which versions came about afterwards. The views list the columns they
-- had when they were made, so they are made anew.
ALTER TABLE tasks_raw ADD COLUMN IF NOT EXISTS
    `late` Bool COMMENT 'This version came about because another event came late, or was reversed: that is its cause';

CREATE OR REPLACE VIEW tasks AS
SELECT * FROM tasks_raw FINAL
COMMENT 'Every version of every task';

CREATE OR REPLACE VIEW tasks_current AS
SELECT * FROM tasks_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer, task_id
COMMENT 'Every task as it is now: its last version';

ALTER TABLE alerts_raw ADD COLUMN IF NOT EXISTS
    `late` Bool COMMENT 'This version came about because another event came late, or was reversed: that is its cause';

CREATE OR REPLACE VIEW alerts AS
SELECT * FROM alerts_raw FINAL
COMMENT 'Every version of every alert';

CREATE OR REPLACE VIEW alerts_current AS
SELECT * FROM alerts_raw FINAL
ORDER BY version DESC, offset DESC
LIMIT 1 BY customer, alert_id
COMMENT 'Every alert as it is now: its last version';
