"""How rules wait, one way a file: what sets, moves and ends their timers."""
