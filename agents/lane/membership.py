"""A static member of the group whose name another one took, or whose session passed, ends.

aiokafka does not say in its heartbeats which static member it is, so Kafka cannot tell two workers
of one name from each other: the earlier one is unknown to it, and aiokafka would join again and
throw the other one out, for ever.
"""

from typing import Any

from agents.faults import Fault, die


def watch_membership(coordinator: Any, instance: str) -> None:
    """End the process when Kafka does not know this member any more."""
    reset = coordinator.reset_generation

    def lost() -> None:
        if coordinator.generation > 0 and not coordinator._closing.done():
            die(
                Fault.FENCED,
                f"the group has lost this worker: another one has its name ({instance}), or it "
                "was silent for a session; give every worker a worker.instance of its own",
            )
        reset()

    coordinator.reset_generation = lost
