"""A sink that is killed where it hurts most: its first batch is inserted, its offsets are not.

Run as `python -m tests.sink.killed_sink KAFKA CLICKHOUSE_PORT DATABASE`.
"""

import os
import signal
import sys

from agents.cli.sink import consumer_config
from agents.librdkafka import librdkafka_config
from config.settings import KafkaSettings, Settings
from schemas.metrics import SINK
from sinks.clickhouse.address import Address
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.messages import Place
from sinks.clickhouse.sink import Pace, Sink
from sinks.clickhouse.source import Source
from sinks.clickhouse.tables import TABLE_OF
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics
from tests.sink.running import QUICK


class KilledSource(Source):
    def commit(self, batches: int) -> dict[Place, int]:
        _ = batches
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")


def main() -> None:
    kafka, port, database = sys.argv[1:]
    settings = Settings(kafka=KafkaSettings(bootstrap=kafka, transactions=False))
    address = Address(host="127.0.0.1", port=int(port), database=database)
    source = KilledSource({**consumer_config(settings), **QUICK}, list(TABLE_OF))
    pace = Pace(rows=10_000, seconds=0.2, backoff_max_s=1.0)
    letters = Letters(librdkafka_config(settings.kafka))
    Sink(source, Writer(address), letters, Metrics(SINK), pace).run()


if __name__ == "__main__":
    main()
