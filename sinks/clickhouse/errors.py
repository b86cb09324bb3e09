"""What ClickHouse's errors mean: that it is away, or that it does not take certain rows.

An error that tells of the server's state is retried for ever, because the rows are as good as any.
One that tells of values is about rows. Any other is about rows only if others are taken meanwhile.
"""

from typing import NamedTuple

from clickhouse_driver.errors import (
    ErrorCodes,
    NetworkError,
    ServerException,
    SocketTimeoutError,
    TypeMismatchError,
)

_SILENT = (NetworkError, SocketTimeoutError, OSError, EOFError)
_MIGRATE = "make its tables with `vipcare migrate`"
_VALUE_ERRORS = (TypeMismatchError, AttributeError, TypeError, ValueError, ArithmeticError)
"""What the driver raises when it cannot encode a value; nothing was sent then."""

SILENT = "it does not answer"
_ENDED = (
    "it ends the connection. If that is so from the start: does this port speak TLS "
    "(VIPCARE_CLICKHOUSE__SECURE), or ask for our certificate "
    "(VIPCARE_CLICKHOUSE__CERTIFICATE_FILE)?"
)
_WIRE = (
    ("certificate has expired", "its certificate has expired: renew it there"),
    (
        "certificate is not valid for",
        "its certificate is for another name: VIPCARE_CLICKHOUSE__HOST must be the one that it has",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is signed by nobody whom we trust: set VIPCARE_CLICKHOUSE__CA_FILE",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "this port speaks no TLS: name the one that does (mostly 9440), or set "
        "VIPCARE_CLICKHOUSE__SECURE to false",
    ),
    ("ALERT", "it refuses our certificate: look at VIPCARE_CLICKHOUSE__CERTIFICATE_FILE"),
    ("UNEXPECTED_EOF", _ENDED),
    ("Connection reset", _ENDED),
)
"""What OpenSSL and the system say, as the driver hands it on, and what that means."""


class Meaning(NamedTuple):
    why: str
    """A word for metrics."""
    text: str


_STATE: dict[int, Meaning] = {
    ErrorCodes.UNKNOWN_DATABASE: Meaning("tables", f"the database is missing: {_MIGRATE}"),
    ErrorCodes.UNKNOWN_TABLE: Meaning("tables", f"a table is missing: {_MIGRATE}"),
    ErrorCodes.NO_SUCH_COLUMN_IN_TABLE: Meaning("tables", f"a column is missing: {_MIGRATE}"),
    516: Meaning("access", "the user or the password is wrong"),  # AUTHENTICATION_FAILED
    497: Meaning("access", "the user may not do this"),  # ACCESS_DENIED
    ErrorCodes.TOO_MANY_PARTS: Meaning("parts", "it has too many parts to merge"),
    ErrorCodes.MEMORY_LIMIT_EXCEEDED: Meaning("memory", "it has too little memory"),
    ErrorCodes.CANNOT_ALLOCATE_MEMORY: Meaning("memory", "it has too little memory"),
    ErrorCodes.NOT_ENOUGH_SPACE: Meaning("disk", "its disk is full"),
    ErrorCodes.CANNOT_WRITE_TO_FILE_DESCRIPTOR: Meaning("disk", "it cannot write to its disk"),
    202: Meaning("busy", "it has too many queries at a time"),  # TOO_MANY_SIMULTANEOUS_QUERIES
    ErrorCodes.TABLE_IS_READ_ONLY: Meaning("readonly", "the table is read-only"),
    ErrorCodes.READONLY: Meaning("readonly", "it takes no writes"),
}

_OTHER_STATES = frozenset(
    (
        ErrorCodes.THERE_IS_NO_COLUMN,
        ErrorCodes.NOT_FOUND_COLUMN_IN_BLOCK,
        ErrorCodes.ATTEMPT_TO_READ_AFTER_EOF,
        ErrorCodes.CANNOT_READ_ALL_DATA,
        ErrorCodes.CHECKSUM_DOESNT_MATCH,
        ErrorCodes.UNKNOWN_IDENTIFIER,
        ErrorCodes.LOGICAL_ERROR,
        ErrorCodes.CANNOT_READ_FROM_FILE_DESCRIPTOR,
        ErrorCodes.CANNOT_OPEN_FILE,
        ErrorCodes.CANNOT_CLOSE_FILE,
        ErrorCodes.CANNOT_TRUNCATE_FILE,
        ErrorCodes.CANNOT_READ_FROM_SOCKET,
        ErrorCodes.CANNOT_WRITE_TO_SOCKET,
        ErrorCodes.FILE_DOESNT_EXIST,
        ErrorCodes.UNKNOWN_USER,
        ErrorCodes.WRONG_PASSWORD,
        ErrorCodes.REQUIRED_PASSWORD,
        ErrorCodes.TIMEOUT_EXCEEDED,
        160,  # TOO_SLOW
        ErrorCodes.QUOTA_EXPIRED,
        ErrorCodes.NO_FREE_CONNECTION,
        ErrorCodes.SOCKET_TIMEOUT,
        ErrorCodes.NETWORK_ERROR,
        ErrorCodes.TABLE_IS_DROPPED,
        ErrorCodes.NO_ZOOKEEPER,
        ErrorCodes.ABORTED,
        ErrorCodes.UNEXPECTED_ZOOKEEPER_ERROR,
        ErrorCodes.NO_ACTIVE_REPLICAS,
        ErrorCodes.ALL_CONNECTION_TRIES_FAILED,
        ErrorCodes.TOO_LESS_LIVE_REPLICAS,
        ErrorCodes.UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE,
        ErrorCodes.REPLICA_IS_NOT_IN_QUORUM,
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        499,  # S3_ERROR
        999,  # KEEPER_EXCEPTION
        1000,  # POCO_EXCEPTION
        1001,  # STD_EXCEPTION: a full disk as some file systems tell it
        1002,  # UNKNOWN_EXCEPTION
    )
)

_VALUES: dict[int, str] = {
    469: "a constraint of the table is violated",
    395: "a check of a materialized view or a default says no",
    ErrorCodes.TYPE_MISMATCH: "a value is not of its column's type",
    ErrorCodes.CANNOT_CONVERT_TYPE: "a value is not of its column's type",
    ErrorCodes.VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE: "a value is beyond its column's range",
    ErrorCodes.ARGUMENT_OUT_OF_BOUND: "a value is out of bounds",
    407: "a number has too many digits",  # DECIMAL_OVERFLOW
    ErrorCodes.ILLEGAL_DIVISION: "a division by zero",
    ErrorCodes.CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN: "a column takes no NULL",
    ErrorCodes.INCORRECT_DATA: "a value is malformed",
    ErrorCodes.CANNOT_PARSE_TEXT: "a value is malformed",
    ErrorCodes.CANNOT_PARSE_DATE: "a value is no date",
    ErrorCodes.CANNOT_PARSE_DATETIME: "a value is no time",
    ErrorCodes.CANNOT_PARSE_NUMBER: "a value is no number",
    ErrorCodes.TOO_LARGE_STRING_SIZE: "a text is too long",
    ErrorCodes.TOO_LARGE_ARRAY_SIZE: "a list is too long",
    691: "a value is not one of an enumeration",  # UNKNOWN_ELEMENT_OF_ENUM
}


class AwayError(Exception):
    """ClickHouse does not answer or refuses: try again later. One line, no row's content."""

    def __init__(self, text: str, why: str = "other") -> None:
        super().__init__(text)
        self.why = why
        """A word for metrics."""


class RefusedError(Exception):
    """ClickHouse takes not all of these rows. One line, no row's content."""

    def __init__(self, text: str, *, certain: bool) -> None:
        super().__init__(text)
        self.certain = certain
        """The error is about values. If not, it is only if other rows are taken meanwhile."""


def explain(error: BaseException) -> str:
    """What is wrong with ClickHouse, in one line that holds no row's content."""
    if isinstance(error, ServerException):
        state = _STATE.get(error.code)
        known = _VALUES.get(error.code, "see its log") if state is None else state.text
        return f"it refuses: {known} (error {error.code})"
    if isinstance(error, EOFError):
        return _ENDED
    if isinstance(error, _SILENT):
        told = str(error)
        return next((text for words, text in _WIRE if words in told), SILENT)
    return f"the driver failed ({type(error).__name__})"


def away(error: BaseException) -> AwayError:
    """What failed, as something to try again."""
    if isinstance(error, ServerException):
        state = _STATE.get(error.code)
        return AwayError(explain(error), "other" if state is None else state.why)
    return AwayError(explain(error), "no_answer" if isinstance(error, _SILENT) else "driver")


def of_insert(error: BaseException) -> AwayError | RefusedError:
    """What an insert's failure means."""
    if isinstance(error, ServerException):
        if error.code in _VALUES:
            return RefusedError(explain(error), certain=True)
        if error.code in _STATE or error.code in _OTHER_STATES:
            return away(error)
        return RefusedError(explain(error), certain=False)
    # A UnicodeError is a ValueError, and so is what a driver says of a socket closed under it.
    if isinstance(error, _VALUE_ERRORS) and not isinstance(error, _SILENT):
        return RefusedError(f"a value cannot be sent ({type(error).__name__})", certain=True)
    return away(error)
