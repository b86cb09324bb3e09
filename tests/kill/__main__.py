"""`python -m tests.kill`: every scenario, so many times. The seed printed repeats a run."""

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.kill.run import SCENARIOS, run
from tests.kill.world import Totals

NAMES = tuple(scenario.name for scenario in SCENARIOS)


def main() -> int:
    options = _options()
    chosen = [one for one in SCENARIOS if not options.only or one.name in options.only]
    began, failed, whole = time.monotonic(), 0, Totals()
    for number in range(1, options.runs + 1):
        seed = options.seed if options.runs == 1 else f"{options.seed}.{number}"
        _say(began, f"run {number} of {options.runs}, --seed {seed}")
        totals, folder = Totals(), Path(tempfile.mkdtemp(prefix="vipcare-kill-"))
        try:
            run(seed, chosen, folder, lambda line: _say(began, line), totals)
        except Exception:  # told, and the next run begins
            failed += 1
            _say(began, f"FAILED, --seed {seed}, see {folder}\n{traceback.format_exc()}")
        else:
            shutil.rmtree(folder)
        whole.add(totals)
    _say(began, f"{options.runs} runs, {failed} failed: {whole}")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", default=str(random.randrange(10**6)), help="default: any")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    return parser.parse_args()


def _say(began: float, line: str) -> None:
    sys.stdout.write(f"[{time.monotonic() - began:6.0f} s] {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
