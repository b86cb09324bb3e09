"""What a running sink tells whoever scrapes it, also while ClickHouse is away.

On Apache Kafka: the embedded broker's ends of topics, of which lag is reckoned, come late.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from clickhouse_driver import Client
from confluent_kafka import Producer

from schemas.metrics import SINK
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from tests.bench.parts.sinking import SinkProcess
from tests.kafka_server import KafkaServer
from tests.schemas.examples import examples
from tests.sink.running import Feed, count_of, wait_until
from tests.sink.server import Server

pytestmark = pytest.mark.kafka
LAG = "vipcare_sink_lag"
ROWS = 'vipcare_sink_rows_total{table="events_raw"}'
AGE = 'vipcare_sink_newest_row_age_seconds{table="events_raw"}'
NO_ANSWER = 'vipcare_sink_failures_total{why="no_answer"}'
_ASKED_S = 6.0
"""By then the sink has asked for the ends of topics again: a lag of before says nothing."""
REFUSED = 'vipcare_sink_refused_total{table="events_raw"}'


def test_a_scrape_tells_lag_rate_age_refusals_and_retries(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    feed, server = Feed(fresh_kafka.bootstrap), Server(tmp_path)
    address = Address(host="127.0.0.1", port=server.port, database="scraped")
    migrate(address)
    with client_of(address) as client:
        client.execute("ALTER TABLE events_raw ADD CONSTRAINT no CHECK offset != 0")
    feed.send_events(200)
    with SinkProcess(feed.settings, address, backoff_max_s=0.5) as sink:
        page = sink.metrics
        wait_until(lambda: page().get(ROWS, 0) + page().get(REFUSED, 0) >= 200, "all rows")
        assert page()[REFUSED] > 0
        wait_until(lambda: AGE in page(), "an age")
        wait_until(lambda: sink.total(LAG) == 0, "no lag")
        assert page()["vipcare_sink_waiting"] == 0
        young = page()[AGE]
        time.sleep(2)
        assert young + 1 < page()[AGE] < young + 60
        server.kill()
        feed.send_events(150)
        wait_until(lambda: page().get(NO_ANSWER, 0) >= 2, "two tries")
        wait_until(lambda: sink.total(LAG) >= 150, "lag while ClickHouse is away")
        assert page()["vipcare_sink_waiting"] == 1
        assert page()["vipcare_sink_pending_batches"] >= 1
        server = Server(tmp_path, port=address.port)
        wait_until(lambda: sink.total(LAG) == 0, "no lag again")
        assert page()["vipcare_sink_waiting"] == 0
        told = {name.partition("{")[0] for name in page()}
    names = {one.name for one in SINK if one.kind != "histogram"}
    assert names - told <= {"vipcare_sink_skipped_total"}  # nothing was skipped
    server.stop()


def test_lag_is_nothing_once_all_is_stored_where_topics_end_in_markers(
    fresh_kafka: KafkaServer, address: Address, client: Client
) -> None:
    feed = Feed(fresh_kafka.bootstrap)
    producer = Producer(
        {"bootstrap.servers": feed.bootstrap, "transactional.id": "t", "log_level": 0}
    )
    producer.init_transactions(20)
    example = examples("account.closed")[0]

    def send(kept: bool) -> None:
        producer.begin_transaction()
        for number in range(10):
            told = {**example, "id": f"{time.time()}-{number}"}
            producer.produce("bank.core", json.dumps(told).encode(), told["subject"], number % 2)
        producer.flush(20)
        (producer.commit_transaction if kept else producer.abort_transaction)(20)

    send(kept=True)
    with SinkProcess(feed.settings, address) as sink:
        wait_until(lambda: count_of(client, "events") == 10, "all rows")
        time.sleep(_ASKED_S)
        wait_until(lambda: sink.total(LAG) == 0, "no lag")
        send(kept=False)
        send(kept=True)
        wait_until(lambda: count_of(client, "events") == 20, "more rows")
        time.sleep(_ASKED_S)
        wait_until(lambda: sink.total(LAG) == 0, "no lag again")
    with SinkProcess(feed.settings, address) as sink:
        wait_until(lambda: "vipcare_sink_lag" in str(sink.metrics()), "what a new one tells")
        time.sleep(_ASKED_S)
        wait_until(lambda: sink.total(LAG) == 0, "no lag of a new one")
