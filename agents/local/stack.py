"""Start the processes of a plan in order, watch them, and stop them in order.

1. The broker and ClickHouse, where they are ours; else see that they answer.
2. The topics.
3. The bank: it tells its past at once. The tables and the sink, meanwhile.
4. The workers, once all of the past is there: while some of it is still to come, a date may fire on
   a record that lacks it.
Stopping goes the other way, so that each still has whom it drains to: the bank, the workers, the
sink, ClickHouse, the broker. Nothing is stopped that was not started here.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from agents.bank.live import HISTORY_IS_TOLD
from agents.local.child import Child, Spec, end_all
from agents.local.interrupts import Interrupts
from agents.local.kafka.jars import VERSION, jars_folder
from agents.local.plan import EMBEDDED, KAFKA, Plan
from agents.local.ports import answers, split
from agents.local.readiness import all_taken
from agents.local.run_folder import RunFolder

_READY_S = 60.0
_REFUSED = 2
_TAIL = 12
_RESTART_AFTER_S = 1.0

Step = Callable[[str], AbstractContextManager[Callable[[str], None]]]
"""Tells that something is being started; leaving the context tells that it is ready. What it gives
takes a few words on how far it is."""


class StackError(Exception):
    """Something that whoever runs the stack can mend; one line."""


class ChildDied(Exception):  # noqa: N818  # says what happened
    """A process ended that should not have; the message tells which, how, and its last lines."""


class Stack:
    """The processes of a plan. `stop` may be called at any time, and more than once."""

    def __init__(self, plan: Plan, folder: RunFolder, interrupts: Interrupts) -> None:
        self.plan = plan
        self.children: dict[str, Child] = {}
        self._folder = folder
        self._interrupts = interrupts
        self._died_at: dict[str, float] = {}

    def start(self, step: Step) -> None:
        """Raises StackError, ChildDied, Interrupted."""
        plan, options = self.plan, self.plan.options
        self._start_servers(step)
        with step("topics      created and checked"):
            self._finish(plan.topics())
        bank = self._launch(plan.bank()) if options.bank else None
        with step(f"tables      in database {plan.settings.clickhouse.database}"):
            self._finish(plan.migrate())
        self._start_readers(step, [plan.sink()])
        if bank is not None:
            told = plan.settings.bank
            with step(
                f"bank        {told.customers} customers, {told.history_days} days of history, "
                f"then {told.rate:g} events a second"
            ) as say:
                self._await_history(bank, say)
        numbers = range(1, options.workers + 1)
        workers = self._start_readers(step, [plan.worker(number) for number in numbers])
        shared = f" by {options.workers}" if options.workers > 1 else ""
        partitions = plan.settings.topics.partitions
        with step(f"customers   {partitions} partitions taken over{shared}"):
            self._await_workers(workers)

    def _start_servers(self, step: Step) -> None:
        plan, options = self.plan, self.plan.options
        kafka, clickhouse = plan.settings.kafka.bootstrap, self._clickhouse_address()
        if options.broker == KAFKA and not jars_folder().exists():
            with step(f"kafka       version {VERSION} from Maven, once (43 MB)") as say:
                self._finish(plan.fetch(), say)
        broker = self._launch(plan.broker()) if options.own_broker else None
        store = self._launch(plan.clickhouse()) if options.clickhouse == EMBEDDED else None
        kind = {EMBEDDED: " (embedded)", KAFKA: f" (Apache Kafka {VERSION})"}
        with step(f"broker      kafka on {kafka}{kind.get(options.broker, '')}"):
            self._reach(broker, kafka, "--broker")
        with step(f"clickhouse  {clickhouse}{' (embedded)' if store else ''}"):
            self._reach(store, clickhouse, "--clickhouse")

    def _start_readers(self, step: Step, specs: Sequence[Spec]) -> list[Child]:
        """Those that tell their metrics: together, then one after the other is waited for."""
        children = [self._launch(spec) for spec in specs]
        for child in children:
            with step(f"{child.spec.name:<11} metrics on http://{child.spec.metrics}/metrics"):
                self._await(child, child.spec.metrics)
        return children

    def _await_history(self, bank: Child, say: Callable[[str], None]) -> None:
        again: list[str] = []
        while not bank.has_said(HISTORY_IS_TOLD):
            self._survives(bank)
            again += self.check()
            say("; ".join([*again, *bank.tail(1)]))
            self._interrupts.pause(0.05)

    def check(self) -> list[str]:
        """Look after the processes; a line for each that was started again. Raises ChildDied."""
        self._interrupts.check()
        again = []
        for name, child in self.children.items():
            if child.status is None:
                continue
            if name not in self._died_at:
                if child.restarts >= child.spec.restarts or child.status == _REFUSED:
                    raise ChildDied(_obituary(child))
                self._died_at[name] = time.monotonic()
            elif time.monotonic() - self._died_at[name] > _RESTART_AFTER_S:
                del self._died_at[name]
                again.append(f"{name} {_ending(child)}, started again")
                child.restart()
        return again

    def stop_bank(self) -> None:
        """End the source of events and forget it."""
        self._end(["bank"])

    def stop_workers(self) -> None:
        """Let them finish what is under way, and forget them."""
        self._end(self._workers())

    def stop(self) -> list[str]:
        """Stop everything that was started, in order; returns who had to be killed."""
        after = (["sink", "topics", "migrate"], ["clickhouse"], ["broker"])
        return [one for names in (["bank"], self._workers(), *after) for one in self._end(names)]

    def _workers(self) -> list[str]:
        return [name for name in self.children if name.startswith("worker-")]

    def _end(self, names: Sequence[str]) -> list[str]:
        group = [self.children.pop(name) for name in names if name in self.children]
        return end_all(group, self._interrupts)

    def _clickhouse_address(self) -> str:
        settings = self.plan.settings.clickhouse
        return f"{settings.host}:{settings.port}"

    def _launch(self, spec: Spec) -> Child:
        child = Child(spec, self._folder.log(spec.name))
        self.children[spec.name] = child
        return child

    def _reach(self, child: Child | None, address: str, option: str) -> None:
        """A server of ours comes up; another must be there already."""
        if child is not None:
            # Somebody else may answer there: ours says itself where it listens.
            self._await(child, address, lambda: child.has_said(f" on {address} "))
        elif not any(answers(*split(one)) for one in address.split(",")):
            raise StackError(f"nobody answers at {address} ({option}): is it running?")

    def _await(
        self, child: Child, address: str, has_said: Callable[[], bool] = lambda: True
    ) -> None:
        deadline = time.monotonic() + _READY_S
        while not (has_said() and answers(*split(address))):
            self._survives(child)
            if time.monotonic() > deadline:
                raise ChildDied(
                    f"{child.spec.name} does not answer at {address} after {_READY_S:g} s; its "
                    f"last lines, from {child.log}:\n" + "\n".join(child.tail(_TAIL))
                )
            self._interrupts.pause(0.05)
        self._survives(child)  # or else it was somebody else who answered

    def _await_workers(self, workers: Sequence[Child]) -> None:
        deadline = time.monotonic() + _READY_S
        addresses = [worker.spec.metrics for worker in workers]
        while not all_taken(addresses, self.plan.settings.topics.partitions):
            for worker in workers:
                self._survives(worker)
            if time.monotonic() > deadline:
                raise StackError(
                    f"the workers have not taken over every partition after {_READY_S:g} s: does "
                    f"another worker of the group {self.plan.settings.worker.app} run elsewhere?"
                )
            self._interrupts.pause(0.1)

    def _survives(self, child: Child) -> None:
        if child.status is not None:
            self._blame(child)

    def _finish(self, spec: Spec, say: Callable[[str], None] = lambda _: None) -> None:
        """Run a command to its end; `say` is told its last line."""
        child = self._launch(spec)
        while child.status is None:
            self._interrupts.pause(0.02)
            say("".join(child.tail(1)))
        if child.status:
            self._blame(child)
        del self.children[spec.name]

    def _blame(self, child: Child) -> None:
        if child.status == _REFUSED:  # it has said in one line what can be mended
            line = (child.tail(1) or [""])[0].removeprefix("vipcare: ")
            raise StackError(f"{child.spec.name}: {line}")
        raise ChildDied(_obituary(child))


def _obituary(child: Child) -> str:
    again = f" after {child.restarts} restarts" if child.restarts else ""
    lines: Sequence[str] = child.tail(_TAIL) or ["(it said nothing)"]
    told = "\n".join(f"  {line}" for line in lines)
    return f"{child.spec.name} {_ending(child)}{again}; its last lines, from {child.log}:\n{told}"


def _ending(child: Child) -> str:
    status = child.status
    assert status is not None
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
