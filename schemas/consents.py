"""What customers consent to: the names of purposes and channels.

A rule that greets may name no others: nobody could refuse them. Customers' consents are told under
these names, however they are capitalised; others are kept and shown, and no rule asks for them.
"""

from typing import Literal, get_args

Purpose = Literal["marketing", "service"]
Channel = Literal["app", "mail", "phone", "post", "sms", "web", "wechat"]
"""`mail` is electronic, `post` comes on paper."""
PURPOSES: frozenset[str] = frozenset(get_args(Purpose))
CHANNELS: frozenset[str] = frozenset(get_args(Channel))
