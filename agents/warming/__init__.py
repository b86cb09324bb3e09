"""Filling the windows of a rule in force with what happened before it was: `vipcare rules warm`."""
