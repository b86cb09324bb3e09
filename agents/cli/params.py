"""Values that several commands take on the command line."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agents.clock import real_millis
from schemas.envelope import to_millis
from schemas.place import Place, parse_place

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 87_600 * 3_600.0
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


class Duration(click.ParamType):
    """`500ms`, `60s`, `5m`, `1h`: seconds as a float."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, int | float):
            return float(value)
        match = _SHAPE.fullmatch(str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is not a duration: write 60s, 5m or 1h", param, ctx)
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds > _LONGEST_S:
            self.fail("a duration is at most 87600h (ten years)", param, ctx)
        if not seconds:
            self.fail("a duration is longer than nothing", param, ctx)
        return seconds


class Rate(click.FloatRange):
    """A number above 0, up to `most`."""

    def __init__(self, most: float) -> None:
        super().__init__(0, most, min_open=True)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        rate: float = super().convert(value, param, ctx)
        if math.isnan(rate):  # no comparison refuses it
            self.fail("this is not a number", param, ctx)
        return rate


class Address(click.ParamType):
    """`HOST:PORT`, as a string; `words` are accepted in its place (`embedded`)."""

    name = "address"

    def __init__(self, *words: str) -> None:
        self._words = words

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value).strip()
        if text in self._words:
            return text
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            choices = "".join(f"{word} or " for word in self._words)
            self.fail(f"{text!r} is not an address: write {choices}HOST:PORT", param, ctx)
        return text

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        _ = param, ctx
        return "|".join((*self._words, "HOST:PORT"))


class Since(click.ParamType):
    """`90m`, `2h`, `3d` ago, or an instant such as `2026-03-01T09:00`: epoch milliseconds.

    An instant without a zone is in this machine's.
    """

    name = "since"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).strip()
        if ago := re.fullmatch(r"(\d{1,6})([smhd])", text):
            seconds = int(ago[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[ago[2]]
            return real_millis() - seconds * 1_000
        try:
            return to_millis(datetime.fromisoformat(text).astimezone())
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time: write 90m, 2h, 3d or 2026-03-01T09:00", param, ctx)


class InPlace(click.ParamType):
    """`TOPIC[PARTITION]@OFFSET`, as lists show it; `TOPIC:PARTITION:OFFSET` needs no quotes."""

    name = "place"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        text = str(value).strip()
        place = parse_place(re.sub(r"^([^:\[]+):(\d+):(\d+)$", r"\1[\2]@\3", text))
        if place is None:
            self.fail(f"{text!r} is no place: write TOPIC[PARTITION]@OFFSET", param, ctx)
        return place


DURATION = Duration()


def archive_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--events FILE`, as often as there are files: an archive. `text` is its help."""
    return click.option(
        "--events",
        "files",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        callback=_each_once,
        help=text,
    )


def _each_once(
    ctx: click.Context, param: click.Parameter, paths: tuple[Path, ...]
) -> tuple[Path, ...]:
    for number, path in enumerate(paths):
        if path.resolve() in [one.resolve() for one in paths[:number]]:
            raise click.BadParameter(f"{path} is named twice: name each once", ctx, param)
    return paths
