"""What a running sink tells whoever scrapes it, also while ClickHouse is away.

On Apache Kafka: the embedded broker's ends of topics, of which lag is reckoned, come late.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.metrics import SINK
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from tests.bench.parts.sinking import SinkProcess
from tests.kafka_server import KafkaServer
from tests.sink.running import Feed, wait_until
from tests.sink.server import Server

pytestmark = pytest.mark.kafka
LAG = "vipcare_sink_lag"
ROWS = 'vipcare_sink_rows_total{table="events_raw"}'
AGE = 'vipcare_sink_newest_row_age_seconds{table="events_raw"}'
NO_ANSWER = 'vipcare_sink_failures_total{why="no_answer"}'
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
    with SinkProcess(fresh_kafka.bootstrap, address, backoff_max_s=0.5) as sink:
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
