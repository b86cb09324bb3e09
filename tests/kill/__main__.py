"""`python -m tests.kill`: every scenario, so many times, some runs side by side.

The seed printed repeats a run.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.kill.apart import Apart
from tests.kill.run import SCENARIOS
from tests.kill.totals import Totals

NAMES = tuple(scenario.name for scenario in SCENARIOS)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, whole = time.monotonic(), Totals()
    runs = list(_runs(options))
    with ThreadPoolExecutor(options.jobs) as pool:
        ended = [pool.submit(run.play) for run in runs]
        try:
            for one in ended:
                if (totals := one.result()) is not None:
                    whole.add(totals)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for run in runs:
                run.end()
            return 130
    failed = [run.seed for run in runs if run.failed]
    minutes = (time.monotonic() - begun) / 60
    told = f"{len(runs)} runs in {minutes:.0f} min, {len(failed)} failed: {whole}"
    sys.stdout.write("\n".join([told, *(f"FAILED: --seed {seed}" for seed in failed), ""]))
    return 1 if failed else 0


def _runs(options: argparse.Namespace) -> Iterator[Apart]:
    for number in range(1, options.runs + 1):
        seed = options.seed if options.runs == 1 else f"{options.seed}.{number}"
        yield Apart(number, seed, options.only or NAMES)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="so many side by side; a run keeps less than one processor busy (default: all)",
    )
    parser.add_argument("--seed", default=str(random.randrange(10**6)), help="default: any")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
