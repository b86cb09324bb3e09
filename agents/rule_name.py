"""How people name a rule: `RULE`, or one of its versions: `RULE@VERSION`."""


class RuleNameError(ValueError):
    """One line that says what to write."""


def rule_and_version(name: str) -> tuple[str, int | None]:
    """Raises RuleNameError where the version is no number."""
    rule, at, version = name.partition("@")
    if not at:
        return rule, None
    if not version.isdecimal():
        raise RuleNameError(f"{name}: write RULE or RULE@VERSION, as in {rule}@2")
    return rule, int(version)
