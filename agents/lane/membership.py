"""A worker ends that its group refuses or has lost; aiokafka would join again for ever.

A session that Kafka does not allow is refused at every try. And aiokafka does not say in its
heartbeats which static member it is, so Kafka cannot tell two workers of one name from each other:
the earlier one is unknown to it, and aiokafka would join again and throw the other one out.
"""

from typing import Any

from aiokafka.errors import InvalidSessionTimeoutError, KafkaError

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


def watch_session(coordinator: Any) -> None:
    """End the process when Kafka lets nobody into the group with this session."""
    push = coordinator._push_error_to_user

    async def told(error: KafkaError) -> None:
        if isinstance(error, InvalidSessionTimeoutError):
            die(
                Fault.KAFKA,
                f"the group refuses this worker: {type(error).__name__}; set "
                "VIPCARE_WORKER__SESSION_TIMEOUT_S to what Kafka allows: "
                "group.min.session.timeout.ms to group.max.session.timeout.ms",
            )
        await push(error)

    coordinator._push_error_to_user = told
