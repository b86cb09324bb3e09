"""YAML 1.2 text into a tree. What is wrong is told in our words: the parser's own quote values, and
a value may be a password."""

import re
import warnings
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import RoundTripConstructor, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.reader import ReaderError

_TOO_DEEP = "it is nested too deeply"
_SAID = (
    ("found duplicate key", "this key stands twice"),
    ("found undefined alias", "a value that begins with * must be in quotes"),
    ("found undefined tag handle", "a value that begins with ! must be in quotes"),
    ("could not determine a constructor", "a value that begins with ! must be in quotes"),
    ("that cannot start any token", "a value that begins with @, ` or a tab must be in quotes"),
    ("could not find expected ':'", "a key needs a colon and a blank behind it, `key: value`"),
    ("mapping values are not allowed", "a value that has a colon and a blank must be in quotes"),
    ("sequence entries are not allowed", "a list begins on a line of its own, below its key"),
    ("expected the node content", "something is missing here, such as a value or a bracket"),
    ("expected ',' or ']'", "a list in [ ] lacks a comma or its end"),
    ("expected ',' or '}'", "keys in { } lack a comma or their end"),
    ("expected <block end>", "this does not go on from the line above: is the indent right, "
     "or does a value that begins with a quote go on behind it?"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("found unexpected document separator", "a quote is not closed"),
    ("found unknown escape character", "a backslash needs single quotes about its value"),
    ("expected escape sequence", "a backslash needs single quotes about its value"),
    ("but found another document", "a file has one document: leave out the line ---"),
    ("maximum depth", _TOO_DEEP),
    ("failed to construct timestamp", "a value that is tagged (!!) or looks like a date is none"),
)  # fmt: skip
"""What the parser's problem has in it → what we say."""
_ELSE = "it cannot be read: look at indents, quotes and brackets here and just above"
_NO_VALUE = "a value looks like a number, a date or one with a tag (!!), and is none: use quotes"


MAX_DEPTH = 64
"""Of lists and keys in each other, with what aliases stand for."""
MAX_ADDED = 256 * 1024
"""Characters that aliases may stand for, all together: as many as the largest file has."""

_MERGE = "tag:yaml.org,2002:merge"
_OLDER = re.compile(r"(?:[ \t]*(?:#.*)?\n)*%YAML(?!\s+1\.2\b)")
_NO_VERSION = "leave out the line %YAML: this is YAML 1.2, in which on and no are words"
_QUOTED = re.compile(r"""\s*(?:- )*[^'"#]*: +(?:'[^']*'|"[^"]*")\s*""")
_GOES_ON = (
    "a value that begins with a quote ends with it: put the whole in double quotes, "
    "as in \"'golf' in tags\""
)
CUT = "this value has a comma: inside of { } it stands in quotes"
_REST = re.compile(r"[^,:{}]*\)\s*[,}]")
"""Of a value in { } that a comma cut: it reads as a key, two of them as one that stands twice."""
_TAB = "indents are made of blanks, not of tabs"
_NO_MERGE = "there is no merging with <<: write the keys themselves"
_IN_ITSELF = "an alias (*name) stands inside of what it stands for"
_TOO_MUCH = "aliases (*name) make too much of this file: write out what is needed"


class NotYamlError(ValueError):
    """A text that is no YAML. Says why without a word of the text; line and column from 1, or 0
    where the parser tells no place."""

    def __init__(self, why: str, line: int = 0, column: int = 1) -> None:
        super().__init__(why)
        self.line, self.column = line, column


def read_yaml(text: str, typ: Literal["rt", "safe"]) -> Any:
    """The tree of one document: `rt` with places and comments, `safe` of plain values.

    Raises NotYamlError.
    """
    if found := _OLDER.match(text):
        raise NotYamlError(_NO_VERSION, found[0].count("\n") + 1)
    yaml = YAML(typ=typ, pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.Composer = _Composer
    yaml.Constructor = _Safe if typ == "safe" else _RoundTrip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote, too
            return yaml.load(text)
    except NotYamlError as error:
        why = NotYamlError(str(error), error.line, error.column)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 1)
        why = NotYamlError(_seen(text, *place) or _said(error.problem or ""), *place)
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        why = NotYamlError("there is a character that no text has, such as a zero byte", line)
    raise why  # beyond the handlers, so that no traceback shows the parser's error


class _Composer(Composer):
    """Bounds what aliases stand for, where they stand: a few lines of them may stand for gigabytes,
    or for themselves."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self._added = 0
        self._measured: dict[int, tuple[int, int]] = {}
        """Node → its characters and depth."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        node = super().compose_node(parent, index)
        if isinstance(event, AliasEvent):
            mark = event.start_mark
            if problem := self._problem(node):
                raise NotYamlError(problem, mark.line + 1, mark.column + 1)
        return node

    def _problem(self, node: Node) -> str:
        if node.end_mark is None:
            return _IN_ITSELF
        size, depth = self._measure(node)
        self._added += size
        if self._added > MAX_ADDED:
            return _TOO_MUCH
        return _TOO_DEEP if self.depth + depth > MAX_DEPTH else ""

    def _measure(self, node: Any) -> tuple[int, int]:
        if isinstance(node, ScalarNode):
            return len(node.value) + 1, 1
        if id(node) not in self._measured:
            parts = [
                one for part in node.value for one in (part if type(part) is tuple else (part,))
            ]
            sizes = [self._measure(one) for one in parts]
            depth = max((depth for _, depth in sizes), default=0)
            self._measured[id(node)] = 1 + sum(size for size, _ in sizes), 1 + depth
        return self._measured[id(node)]


class _Placing:
    """Gives a place to what Python says of a value, such as a day that is none, and takes no
    merges: what comes from elsewhere has no place of its own."""

    def flatten_mapping(self, node: Any) -> Any:
        for key, _ in node.value:
            if key.tag == _MERGE:
                mark = key.start_mark
                raise NotYamlError(_NO_MERGE, mark.line + 1, mark.column + 1)
        return super().flatten_mapping(node)  # type: ignore[misc]  # a constructor has it

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)  # type: ignore[misc]  # a constructor has it
        except (MarkedYAMLError, NotYamlError):
            raise
        except Exception:  # noqa: BLE001, RUF100  # whatever it is, it quotes the value
            mark = node.start_mark
        raise NotYamlError(_NO_VALUE, mark.line + 1, mark.column + 1)


class _Safe(_Placing, SafeConstructor):
    pass


class _RoundTrip(_Placing, RoundTripConstructor):
    pass


def _seen(text: str, line: int, column: int) -> str:
    """What is wrong at a place, where the text shows it and the parser does not say it."""
    lines = text.splitlines()
    there = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in there[: len(there) - len(there.lstrip())]:
        return _TAB
    if "{" in there[: column - 1] and _REST.match(there[column - 1 :]):
        return CUT
    return _GOES_ON if _QUOTED.fullmatch(there[: column - 1]) else ""


def _said(problem: str) -> str:
    return next((ours for part, ours in _SAID if part in problem), _ELSE)
