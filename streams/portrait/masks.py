"""What identifies a person, covered so far that who knows the customer recognises it.

A mask has the same length whatever it covers: the length would tell something too.
"""

COVERED = "***"


def head(text: str) -> str:
    """王小明 → 王***, Amelia Hart → A***: of a name or a text its first character."""
    return text[:1] + COVERED


def tail(text: str) -> str:
    """13800138000 → ***8000: of a number its last four characters, if it has more than eight."""
    return COVERED + (text[-4:] if len(text) > 8 else "")


def email(text: str) -> str:
    """ming@example.cn → m***@example.cn."""
    name, at, domain = text.rpartition("@")
    return head(name) + at + domain if at else head(text)


def day(text: str) -> str:
    """1980-05-17 → ****-05-17: the day to congratulate on, not the age."""
    return "****" + text[4:] if len(text) == 10 else COVERED
