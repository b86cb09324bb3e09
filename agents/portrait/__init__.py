"""A customer on the screen: where the record is read, and how its portrait is shown."""
