"""Dead letters for the people who look after them: found, shown, and replayed."""
