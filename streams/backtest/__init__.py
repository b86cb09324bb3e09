"""Rules tried on what happened: the live step over archived events, and what is counted of it.

Customers do not touch each other, so each is played by itself, all of its events in a row: nothing
is encoded in between, one record is in memory at a time (with the messages of its customer, decoded
if they are not very many), and any number of processes can share the
customers.
"""
