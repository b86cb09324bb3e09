"""Rate and CPU per event of the real worker, beside the pure core on the same events."""
