"""Why a table is not rebuilt."""


class RebuildError(Exception):
    """One line: what is in the way, and what to do. The table is as it was, if it does not say
    otherwise."""
