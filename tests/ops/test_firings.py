"""How often a rule fired, as the report counts it."""

import json

from msgspec.structs import replace

from agents.reconciliation.compare import Differences
from agents.reconciliation.reconcile import Books
from schemas.effects import Task, decode_effect
from tests.schemas.examples import examples


def test_a_broadcast_counts_for_each_customer_and_several_effects_of_one_count_once() -> None:
    task = decode_effect(json.dumps(examples("vip.task")[0]).encode())
    assert isinstance(task, Task)
    books = Books(Differences())
    for number, customer in enumerate(("C1", "C2", "C2")):
        books.add_effect(replace(task, id=f"{number}-1", subject=customer))
    assert books.firings() == {task.data.rule.id: 2}
