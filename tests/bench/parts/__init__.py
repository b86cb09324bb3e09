"""The parts of `make bench` that measure one promise each; every one also runs alone."""
