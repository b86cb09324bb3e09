"""What many customers cost, and one hot customer.

Customers: CPU an event with 500,000 customers over that with 10,000. All of them have a record of
1 KB in the worker's local copy before the first event, events choose customers by Zipf 1.1, and
the cache of decoded records has its default size, which 10,000 fit in and 500,000 do not. The
first third of the events is left out. Only the worker's own CPU counts, Kafka's does not.

A hot customer: events/s when one customer of 20,000 has half of all events, over events/s when all
are alike. That customer's events are one partition's, one after the other.
"""

import random
from collections.abc import Iterator
from itertools import islice

from tests.bench.parts.customers import preload
from tests.bench.parts.drain import Drained, drain, settle
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.traffic import customer, send_all, uniform, zipf

FEW, MANY = 10_000, 500_000
EVENTS = 150_000
_AT_LEAST = 40_000
"""In a trial too, so that there are some chunks of the greatest size."""
HOT_AMONG = 20_000


def measure(options: Options) -> Part:
    few, many = _customers(options, FEW), _customers(options, options.scaled(MANY))
    options.say("all customers alike")
    alike = _hot(options, uniform(HOT_AMONG))
    options.say("one customer with half of the events")
    hot = _hot(options, _half_to_one())
    ratio = round(many.cpu_us / few.cpu_us, 2)
    return Part(
        {
            "customers_500k_vs_10k": ratio,
            "customers": {"10k": few.figures(), "500k": many.figures()},
            "hot_customer": {
                "rate_ratio": round(hot.rate / alike.rate, 2),
                "hot": hot.figures(),
                "alike": alike.figures(),
            },
        },
        [
            f"Customers: {few.cpu_us:.1f} µs CPU an event with 10,000, {many.cpu_us:.1f} µs with "
            f"500,000 (Zipf 1.1): x {ratio}; records found decoded: {few.hit_rate:.0%} and "
            f"{many.hit_rate:.0%}",
            f"A hot customer with half of all events: {hot.rate:,.0f} events/s, "
            f"{alike.rate:,.0f} without: x {hot.rate / alike.rate:.2f}",
        ],
    )


def _customers(options: Options, customers: int) -> Drained:
    events = max(options.scaled(EVENTS), _AT_LEAST)
    with scratch() as settings:
        options.say(f"{customers:,} customers: their records")
        preload(settings, customers)
        settle(settings)
        options.say(f"{customers:,} customers: {events:,} events")
        sent = send_all(settings.kafka, islice(zipf(customers), events), "zipf")
        return drain(settings, sent, warm=sent // 3)


def _hot(options: Options, customers: Iterator[str]) -> Drained:
    events = max(options.scaled(EVENTS), _AT_LEAST)
    with scratch() as settings:
        sent = send_all(settings.kafka, islice(customers, events), "hot")
        return drain(settings, sent, warm=sent // 3)


def _half_to_one() -> Iterator[str]:
    chance, others = random.Random(2), uniform(HOT_AMONG)
    while True:
        yield customer(0) if chance.random() < 0.5 else next(others)


if __name__ == "__main__":
    run_alone(measure)
