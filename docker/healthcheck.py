#!/usr/bin/env python3
"""Whether the process in this container is well: 0 if /healthz says so, else 1 and why.

    healthcheck [PORT]      9464, where the image has them listen

Standard library alone, so that a look costs little.
"""

import sys
import urllib.error
import urllib.request

_PORT = "9464"
_TIMEOUT_S = 4.0
_MOST = 500


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else _PORT
    try:
        with urllib.request.urlopen(  # a URL of ours
            f"http://127.0.0.1:{port}/healthz", timeout=_TIMEOUT_S
        ) as page:
            told = page.read(_MOST).decode(errors="replace")
    except urllib.error.HTTPError as error:  # it answers, and says that it is not
        sys.stdout.write(error.read(_MOST).decode(errors="replace"))
        return 1
    except OSError as error:
        sys.stdout.write(f"nobody answers on port {port}: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
