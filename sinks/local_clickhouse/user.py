"""The one user of the local ClickHouse."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A name and a password, which may be empty. Never shown: `repr` has neither."""

    name: str = "default"
    password: str = ""

    def __repr__(self) -> str:
        return "User()"

    def is_let_in(self, name: str, password: str) -> bool:
        """Whether they are this user's; no name means `default`."""
        right_name = (name or "default") == self.name
        return hmac.compare_digest(password.encode(), self.password.encode()) and right_name

    def refusal(self, name: str) -> str:
        """What to say to others."""
        secret = "with a password" if self.password else "without a password"
        return (
            f"{name[:80] or 'default'}: Authentication failed. The local ClickHouse has one user,"
            f" {self.name}, {secret}: see the settings clickhouse.user and clickhouse.password"
        )
