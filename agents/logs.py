"""Logs: structlog and the standard library's loggers (Faust's, aiokafka's) through one pipe.

Lines go to stderr, as JSON or for a console. `_scrub` is the one place that sees to it that no
line shows a customer's data, whoever logs it:

- a key that names a sensitive field of an event is hidden;
- only plain values are shown (numbers, booleans, short text, ids of partitions); of anything else,
  an event, a record, bytes, the type alone;
- of an exception, its type and where it was raised; its message only for the kinds whose messages
  are about connections and files, because others quote the value that they choke on.

Event names are ours and fixed; a library's message is kept, with its arguments treated as values.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from config.settings import LogSettings
from schemas.events import EVENT_TYPES
from schemas.fields import sensitive_fields

HIDDEN = "(hidden)"
_MAX_TEXT = 400
_PLAIN = (bool, int, float, type(None), datetime, PurePath)
_OPEN_MESSAGES = ("OSError", "KafkaError", "KafkaException")
_META = ("timestamp", "level", "event", "logger")
_QUIET = {
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "clickhouse_driver": logging.CRITICAL,  # what it raises is told by who asked it
}


def configure(settings: LogSettings) -> None:
    """Send every logger's lines through the pipe; call once, when a process starts."""
    level = getattr(logging, settings.level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _timestamp,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_plain_arguments)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _scrub,
                _renderer(settings.format),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _timestamp(_logger: Any, _method: str, line: EventDict) -> EventDict:
    now = datetime.now(UTC)
    line["timestamp"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return line


def _scrub(_logger: Any, _method: str, line: EventDict) -> EventDict:
    problem = _exception(line.pop("exc_info", None))
    line.pop("stack_info", None)
    clean: EventDict = {key: line.pop(key) for key in _META if key in line}
    clean.update(_shown(line))
    if problem:
        clean["exception"] = problem
    return clean


def _shown(value: Any) -> Any:
    """A value as a line may show it: plain, or the name of its type."""
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, BaseException):
        return _summary(value)
    if isinstance(value, PurePath | datetime):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    # Not any Mapping: what is not a plain dict may do whatever it likes when it is looked at.
    if isinstance(value, dict):
        return {
            str(key): HIDDEN if key in _SENSITIVE else _shown(part) for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(part) for part in value]
    return f"<{type(value).__name__}>"


def _plain_arguments(record: logging.LogRecord) -> bool:
    """A library's `logger.info("… %r", message)`: its arguments are values like any other."""
    if isinstance(record.args, tuple):
        record.args = tuple(_argument(value) for value in record.args)
    elif isinstance(record.args, dict):
        record.args = {
            key: HIDDEN if key in _SENSITIVE else _argument(value)
            for key, value in record.args.items()
        }
    elif record.args is not None:  # a Mapping that logging took for names of arguments
        record.args = (_argument(record.args),)
    return True


def _argument(value: Any) -> Any:
    """Numbers stay numbers (`%d`); partitions, states, nodes of our libraries are shown as text."""
    if isinstance(value, _PLAIN):
        return value
    shown = _shown(value)
    return shown if isinstance(shown, str) else str(shown)


def _exception(info: Any) -> str:
    if not info:
        return ""
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return " < ".join([_summary(error), *reversed(places)])


def _summary(error: BaseException) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    ours = type(error).__module__.partition(".")[0] in {"agents", "config", "sinks"}
    if ours or not kinds.isdisjoint(_OPEN_MESSAGES):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


def _sensitive_names() -> frozenset[str]:
    """The names of all sensitive fields of all events, and of what carries whole messages."""
    found = {"key", "value", "data", "subject", "name", "payload", "body", "text", "title"}
    for event in EVENT_TYPES.values():
        found |= sensitive_fields(event.__annotations__.get("data", event))
    return frozenset(found.difference(_META))


_SENSITIVE = _sensitive_names()
