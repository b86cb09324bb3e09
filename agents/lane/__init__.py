"""The batch lane: Faust hands over chunks instead of messages, a partition runner takes them."""
