"""Open tasks and alerts beside a record that knows none."""

from collections.abc import Iterator

import msgspec
import pytest

from agents.clickhouse import clickhouse_address
from agents.portrait.open_work import with_open_work
from config.settings import Settings
from schemas.effects import Alert, Effect, Task
from sinks.clickhouse.migrate import migrate
from streams.portrait import portrait
from streams.portrait.parts import Portrait, Table
from tests.portrait.story import CUSTOMER, TODAY, ZONE, record
from tests.ports import free_port
from tests.schemas.examples import examples
from tests.sink.server import Server
from tests.sink.test_effects import messages_of, write


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A ClickHouse with a task that is open, one that was retracted since, and an alert."""
    server = Server(tmp_path_factory.mktemp("clickhouse"))
    settings = at_port(server.port)
    address = clickhouse_address(settings.clickhouse)
    migrate(address)
    task = msgspec.convert(examples("vip.task")[0], Task)
    alert = msgspec.convert(examples("vip.alert")[0], Alert)
    raised: list[Effect] = [
        of_customer(task, "one", 1, "open"),
        of_customer(task, "two", 1, "open"),
        of_customer(task, "two", 2, "closed"),
        msgspec.structs.replace(
            alert, subject=CUSTOMER, data=msgspec.structs.replace(alert.data, state="open")
        ),
    ]
    write(address, messages_of(raised))
    yield settings
    server.stop()


def of_customer(task: Task, name: str, version: int, state: str) -> Task:
    told = {"task_id": name, "version": version, "state": state, "title": {"en": name}}
    data = msgspec.structs.replace(task.data, **told)
    return msgspec.structs.replace(task, id=f"{name}-{version}", subject=CUSTOMER, data=data)


def at_port(port: int) -> Settings:
    settings = Settings()
    where = settings.clickhouse.model_copy(update={"host": "127.0.0.1", "port": port})
    return settings.model_copy(update={"clickhouse": where})


def titles(drawn: Portrait, name: str) -> list[object]:
    table = drawn.part(name)
    assert isinstance(table, Table)
    return [row[table.columns.index("title")] for row in table.rows]


def test_what_is_open_stands_before_what_else_is(stored: Settings) -> None:
    plain = portrait(record(), ZONE, TODAY)
    whole, warning = with_open_work(stored, plain, ZONE)
    assert not warning
    assert titles(whole, "tasks") == ["one"]
    assert len(titles(whole, "alerts")) == 1
    names = [part.name for part in whole.parts]
    place = names.index("tasks")
    assert names[place : place + 3] == ["tasks", "alerts", "open"]
    del names[place : place + 2]
    assert names == [part.name for part in plain.parts]


def test_a_customer_of_whom_nothing_is_stored_has_none(stored: Settings) -> None:
    whole, warning = with_open_work(stored, Portrait("C999", (Table("open", (), ()),)), ZONE)
    assert (warning, titles(whole, "tasks"), titles(whole, "alerts")) == ("", [], [])


def test_where_clickhouse_is_away_it_says_what_is_missing() -> None:
    plain = portrait(record(), ZONE, TODAY)
    drawn, warning = with_open_work(at_port(free_port()), plain, ZONE)
    assert drawn is plain
    assert warning.startswith("tasks and alerts are not shown: ClickHouse at 127.0.0.1:")
