"""The marker `tool`: tests that try other people's programs skip, or fail, where one is absent.

A laptop without the program says that it skipped; with REQUIRE_TOOLS=1 absence is a failure.
`.ci/run` installs them with apt and sets that.
"""

import os
import shutil

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    names = [name for marker in item.iter_markers("tool") for name in marker.args]
    absent = [name for name in names if shutil.which(name) is None]
    if not absent:
        return
    what = f"not on PATH: {', '.join(absent)} (.ci/run names their packages)"
    if os.environ.get("REQUIRE_TOOLS") == "1":
        pytest.fail(f"REQUIRE_TOOLS=1, but {what}")
    pytest.skip(what)
