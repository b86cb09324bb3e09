"""The peers: each a process of its own, `python -m tests.bench.peers.NAME WORKLOAD JSON`.

They import the pure core alone (streams, schemas), never agents or config, so that they run in a
virtual environment that holds nothing but the peer.
"""
