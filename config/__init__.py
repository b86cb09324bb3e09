"""What a bank edits: settings, rules, later processes and calendars; and the code that loads it."""
