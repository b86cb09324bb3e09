"""What runs a whole vipcare on one machine: the embedded broker, processes, the demo's stack."""
