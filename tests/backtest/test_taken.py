"""What a customer's messages met, out of a journal on the embedded broker."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.backtest.taken import read_taken
from agents.librdkafka import librdkafka_config
from agents.topics import create
from schemas.position import JOURNAL_TOPIC, Position, Range, Since, encode_position
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.reach import Reach
from tests.lane.process import settings_for

pytestmark = pytest.mark.broker
TOPIC = "vip.internal"


def test_what_fills_windows_in_the_chunk_that_tells_that_all_have_it_meets_them_unfilled(
    fresh_broker: str, tmp_path: Path
) -> None:
    settings = settings_for(fresh_broker, tmp_path, transactions=False, partitions=1)
    create(settings)
    began, filled = Since(50, 9, 1), Since(10, 9, 1, filled=True)
    young = Since(70, 9, 3)
    told = [{"a": began}, None, {"a": filled, "b": young}, None]
    producer = Producer(librdkafka_config(settings.kafka))
    for number, reach in enumerate(told, 1):
        ranges = {TOPIC: Range(topic_id="", start=number - 1, end=number)}
        position = Position(
            partition=0, number=number, ranges=ranges, now=100 * number, rules="", reach=reach
        )
        producer.produce(JOURNAL_TOPIC, encode_position(position), partition=0)
    assert producer.flush(10) == 0
    places = [(TOPIC, offset) for offset in range(4)]
    taken = read_taken(settings, CoreSettings(partitions=1), 0, places)
    assert taken is not None
    chunks = [taken.chunk(Raw(TOPIC, 0, offset, b"", b"")) for offset in range(4)]
    met = [taken.reaches[one.reach].kept for one in chunks if one is not None]
    assert met == [{"a": began}, {"a": began}, {"a": began, "b": young}, told[2]]
    assert [Reach(kept).lacks("a", 1) for kept in met] == [True, True, True, False]
    assert [one.since for one in taken.reaches] == [0, 100, 300, 300]
