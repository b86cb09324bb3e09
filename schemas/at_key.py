"""Keys that are right by themselves and wrong together: told at the one that has to change."""

from pydantic_core import PydanticCustomError

AT_KEY = "at_key"


def at_key(key: str, message: str) -> PydanticCustomError:
    """What a validator of a whole model raises about one of its keys, as it is written."""
    return PydanticCustomError(AT_KEY, "{message}", {"key": key, "message": message})
