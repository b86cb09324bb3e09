"""Rules that change while workers die: published, approved, rolled back, isolated."""

import time

from agents.core import rule_set
from agents.registrar import Registrar
from schemas.rules import Status
from streams.rules.lifecycle import approve, newest, roll_back, seeded
from tests.kill.audit import AUDITED, TIMED
from tests.kill.world import World

_OTHER = "study-abroad-browsing"
_ELSE = "another"
"""Who approves."""


def rules_change(world: World, changes: int = 12) -> None:
    """Two workers, one of them killed at a random moment around each change."""
    _seed(world)
    with world.workers("one", "two") as workers, world.flow() as flow:
        for number in range(changes):
            if number % 4 == 0:
                flow.burst(1_000)
            worker = world.chance.choice(workers)
            dies_first = world.chance.random() < 0.5
            if dies_first:
                worker.kill()
            _change(world, number)
            time.sleep(world.chance.random())
            if not dies_first:
                worker.kill()
            time.sleep(world.chance.random() * 1.5)


def _seed(world: World) -> None:
    with Registrar(world.settings, "keeper") as register:
        if register.book.state.active is None:
            definitions = rule_set(world.settings).definitions
            of_files = [(one, "") for one in definitions]
            register.put_in_force("rules.seeded", seeded(definitions), of_files)


def _change(world: World, number: int) -> None:
    """The rules that are audited change their version and nothing else; another one its status."""
    match number % 3:
        case 0:
            _next_version(world, AUDITED)
            _next_version(world, TIMED[0])
        case 1:
            _to_status(world, "shadow")
        case _:
            _to_status(world, "live")
            with Registrar(world.settings, "keeper") as register:
                back = roll_back(register.book, AUDITED, 1, "keeper")
                register.put_in_force("rules.rolled_back", [back])


def _next_version(world: World, rule: str) -> None:
    with Registrar(world.settings, "keeper") as register:
        version = newest(register.book, rule)
        state = register.book.state
        [definition] = [one for one in register.book.definitions(state, ()) if one.id == rule]
        register.publish([(definition.model_copy(update={"version": version + 1}), "")])
    with Registrar(world.settings, _ELSE) as register:
        change = approve(register.book, rule, None, "live", _ELSE)
        register.put_in_force("rules.approved", [change])


def _to_status(world: World, status: Status) -> None:
    with Registrar(world.settings, _ELSE) as register:
        assert register.book.state.active is not None
        if register.book.state.active.rules[_OTHER].status != status:
            change = approve(register.book, _OTHER, None, status, _ELSE)
            register.put_in_force("rules.approved", [change])
