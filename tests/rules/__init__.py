"""Rules: windows, expressions, the rule set, the shipped library, the commands."""
