"""Asking checks, and telling what they said."""

from agents.doctor.finding import Examined, Finding, Look, Verdict
from agents.rights import Role
from config.settings import Settings


def settings_with(bootstrap: str = "127.0.0.1:9092", **sections: dict[str, object]) -> Settings:
    kafka = {"bootstrap": bootstrap, **sections.pop("kafka", {})}
    return Settings.model_validate({"kafka": kafka, **sections})


def found(look: Look, settings: Settings, *roles: Role) -> list[Finding]:
    examined = Examined(settings, frozenset(roles)) if roles else Examined(settings)
    return list(look(examined))


def the_only(findings: list[Finding], verdict: Verdict, words: str) -> Finding:
    """The finding with these words; asserts its verdict, that it is alone, and that it advises."""
    (one,) = [finding for finding in findings if words in finding.what]
    assert one.verdict is verdict, one
    assert bool(one.advice) == (verdict is not Verdict.OK)
    return one
