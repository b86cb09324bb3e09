"""What `vipcare up` shows: steps until ready, then a live summary (or a line now and then)."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.local.card import CARD_LINES, card
from agents.local.gallery import Star
from agents.local.observer import Facts, Shown
from agents.terminal import in_language, plain
from schemas.envelope import from_millis

_LINE_EVERY_S = 5.0
_FRAME_EVERY_S = 0.25
_SPARKS = "▁▂▃▄▅▆▇█"
_BAR = 18
_FRAME_LINES = 15
"""Of the panel, without its rules and its latest effects."""
_LEAST_ROWS = 2
"""Of latest effects, beside a portrait."""
_LEVELS = {"low": "dim", "normal": "green", "high": "yellow", "urgent": "bold red"}


@dataclass(slots=True)
class View:
    """One moment of a stack."""

    facts: Facts
    rate: float
    elapsed_s: float
    total_s: float | None
    phase: str
    processes: Mapping[str, tuple[bool, int]]
    """Name → whether it runs, and how often it was started again."""
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    star: Star | None = None
    """Whose portrait is shown, if there is room for it."""


class Display:
    """Writes to a console: redraws on a terminal, else prints a plain line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._drawn = 0.0
        self._rates: deque[float] = deque(maxlen=30)
        self._sampled = 0.0

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """A step until ready: a spinner while it lasts, a line with its duration when done.

        Gives what takes a few words on how far it is; without a terminal, a line of them every few
        seconds.
        """
        began = told = time.monotonic()

        def tell(words: str) -> None:
            nonlocal told
            text = Text(f"{what}  {words}", "dim")
            status.update(text)
            now = time.monotonic()
            if words and not self._console.is_terminal and now - told >= _LINE_EVERY_S:
                told = now
                self._console.print(text, soft_wrap=True)

        with self._console.status(Text(what, "dim"), spinner="dots") as status:
            yield tell
        line = Text.assemble(("✓ ", "green"), what, (f"  {time.monotonic() - began:.1f} s", "dim"))
        self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """A line that stays."""
        self._console.print(Text(line, "yellow"), soft_wrap=True)

    def show(self, view: View) -> None:
        now = time.monotonic()
        if now - self._sampled >= 1.0:
            self._sampled = now
            self._rates.append(view.rate)
        view.rates = self._rates
        if now - self._drawn < (_FRAME_EVERY_S if self._live else _LINE_EVERY_S):
            return
        self._drawn = now
        if self._live is not None:
            room = self._console.height - _FRAME_LINES - len(view.facts.by_rule)
            if view.star is not None and room <= CARD_LINES + _LEAST_ROWS:
                view.star = None
            rows = room - (CARD_LINES if view.star else 0)
            self._live.update(picture(view, max(1, rows)), refresh=True)
        else:
            self._console.print(line(view), soft_wrap=True, highlight=False)


def line(view: View) -> str:
    """The summary as one line of plain text."""
    facts = view.facts
    waiting = f"waiting {facts.lag:,} for workers, {facts.sink_lag:,} for the sink"
    return (
        f"{view.elapsed_s:5.0f} s  {view.phase:<8}  events {facts.events:,} ({view.rate:,.0f}/s)  "
        f"tasks {facts.tasks:,}  alerts {facts.alerts:,}  "
        f"dead letters {facts.dead.total():,}  {waiting}"
        + (f"  isolated: {', '.join(facts.isolated)}" if facts.isolated else "")
    )


def picture(view: View, rows: int) -> RenderableType:
    """The summary as a panel; `rows` is how many of the latest effects it shows."""
    facts = view.facts
    tables = Columns(
        [
            _counts("rule", facts.by_rule, "cyan", "no rule has fired yet"),
            _counts("dead letter", facts.dead, "red", "none"),
        ],
        padding=(0, 4),
    )
    latest = _latest(list(facts.latest)[-rows:])
    shown = [card(view.star)] if view.star else []
    body = Group(_headline(view), Text(), tables, Text(), latest, *shown, Text(), _feet(view))
    return Panel(body, title=_title(view), title_align="left", box=ROUNDED, padding=(1, 2))


def _title(view: View) -> Text:
    spent = _minutes(view.elapsed_s)
    total = f" of {_minutes(view.total_s)}" if view.total_s else ""
    return Text.assemble(("vipcare", "bold"), f" · {view.phase} · {spent}{total}")


def _headline(view: View) -> RenderableType:
    facts = view.facts
    grid = Table.grid(padding=(0, 4))
    grid.add_row(
        _number("events", facts.events, "bold"),
        Text.assemble((f"{view.rate:,.0f}/s ", "bold"), (_spark(view.rates), "green")),
        _number("tasks", facts.tasks, "bold green"),
        _number("alerts", facts.alerts, "bold yellow"),
        _number("dead letters", facts.dead.total(), "bold red" if facts.dead else "dim"),
    )
    return grid


def _number(name: str, count: int, style: str) -> Text:
    return Text.assemble((f"{count:,}", style), (f" {name}", "dim"))


def _table(*, expand: bool = False) -> Table:
    return Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        header_style="dim",
        expand=expand,
        show_edge=False,
        pad_edge=False,
    )


def _counts(name: str, counts: Counter[str], style: str, nothing: str) -> RenderableType:
    table = _table()
    table.add_column(name, no_wrap=True)
    table.add_column("", width=_BAR)
    table.add_column("", justify="right")
    most = max(counts.values(), default=1)
    for key, count in counts.most_common(8):
        bar = "━" * max(1, round(_BAR * count / most))
        table.add_row(plain(key), Text(bar, style), f"{count:,}")
    if not counts:
        table.add_row(Text(nothing, "dim"))
    return table


def _latest(latest: Sequence[Shown]) -> RenderableType:
    table = _table(expand=True)
    for name in ("latest", "customer", "rule"):
        table.add_column(name, no_wrap=True)
    table.add_column("text", ratio=1, no_wrap=True, overflow="ellipsis")
    for shown in reversed(latest):
        mark = Text("● ", _LEVELS.get(shown.level, "")) + Text(f"{shown.what} {shown.level}")
        title, text = (plain(in_language(spoken)) for spoken in (shown.title, shown.text))
        text.stylize("dim")
        table.add_row(mark, plain(shown.customer), title, text)
    if not latest:
        table.add_row(Text("nothing yet", "dim"))
    return table


def _feet(view: View) -> RenderableType:
    facts = view.facts
    processes = Text()
    for name, (runs, restarts) in view.processes.items():
        again = f" (restarted {restarts}×)" if restarts else ""
        processes += Text.assemble(("● ", "green" if runs else "red"), (f"{name}{again}  ", "dim"))
    if facts.isolated:
        processes += Text(f"isolated: {', '.join(facts.isolated)}", "bold red")
    waiting = f"waiting: {facts.lag:,} for workers, {facts.sink_lag:,} for the sink"
    if facts.bank_time is not None:
        bank = from_millis(facts.bank_time)
        waiting += f" · bank time {bank:%Y-%m-%d %H:%M:%S} UTC"
    return Group(processes, Text(f"{waiting} · Ctrl-C stops", "dim"))


def _spark(rates: Sequence[float]) -> str:
    most = max(rates, default=0.0) or 1.0
    return "".join(_SPARKS[round(rate / most * (len(_SPARKS) - 1))] for rate in rates)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"
