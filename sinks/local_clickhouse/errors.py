"""What can go wrong, by who has to act: the caller, the client's SQL, or the client's program."""


class LocalClickHouseError(Exception):
    """The server cannot start: the message says what to do. For the command line to print."""


class DirectoryTakenError(LocalClickHouseError):
    """Another process has the data directory open."""


class PortTakenError(LocalClickHouseError):
    """Another process listens on the port."""


class ServerError(Exception):
    """A query fails with a ClickHouse error code; the connection goes on."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ProtocolError(Exception):
    """The client sent bytes that make no sense here; its connection ends with this reason.

    The reason never quotes what the client sent: it reaches the log.
    """


class ConnectionEndedError(Exception):
    """The client is gone."""


# ClickHouse's own numbers (src/Common/ErrorCodes.cpp), which clients branch on.
BAD_ARGUMENTS = 36
NO_SUCH_COLUMN_IN_TABLE = 16
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
UNKNOWN_FORMAT = 73
UNEXPECTED_PACKET_FROM_CLIENT = 101
UNKNOWN_SETTING = 115
READONLY = 164
TOO_MANY_SIMULTANEOUS_QUERIES = 202
CANNOT_DECOMPRESS = 271
SOCKET_TIMEOUT = 209
SESSION_NOT_FOUND = 372
SESSION_IS_LOCKED = 373
INVALID_SESSION_TIMEOUT = 374
QUERY_WAS_CANCELLED = 394
CANNOT_WRITE_TO_FILE = 75
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002
