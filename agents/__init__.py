"""What runs: the Faust app and its lane, the simulated bank, the local stack, the command line."""
