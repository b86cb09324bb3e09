"""Archives of events, split by customer and played on all cores: see streams/backtest."""
