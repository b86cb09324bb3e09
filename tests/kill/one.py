"""`python -m tests.kill.one SEED FOLDER SCENARIO…`: one run, as `tests.kill` starts it."""

import resource
import sys
import time
import traceback
from pathlib import Path

from tests.kill.run import SCENARIOS, run
from tests.kill.totals import Totals


def main(seed: str, folder: Path, names: list[str]) -> int:
    begun, totals = time.monotonic(), Totals()

    def say(line: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - begun:6.0f} s] {line}\n")
        sys.stdout.flush()

    try:
        run(seed, [one for one in SCENARIOS if one.name in names], folder, say, totals)
    except Exception:
        say(traceback.format_exc())
        return 1
    finally:
        totals.write(folder / "totals.json")
        say(f"ended, {_cpu() / 60:.1f} CPU minutes")
    return 0


def _cpu() -> float:
    """Seconds of this process and of all that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
