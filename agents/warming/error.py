"""Why a rule is not warmed."""


class WarmingError(Exception):
    """One line, or some: why, and what to do."""
