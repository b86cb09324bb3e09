"""What can stand in a field with a closed list of values, as people call it."""

WORDS = {
    "app": ("the app", "手机银行"),
    "high": ("high", "高"),
    "in": ("in", "转入"),
    "marketing": ("marketing", "营销"),
    "lost": ("lost", "未成交"),
    "low": ("low", "低"),
    "mail": ("mail", "邮件"),
    "no_interest": ("no interest", "无意向"),
    "normal": ("normal", "普通"),
    "online": ("online", "线上"),
    "other": ("other", "其他"),
    "out": ("out", "转出"),
    "phone": ("phone", "电话"),
    "post": ("post", "信函"),
    "present": ("card present", "现场刷卡"),
    "recurring": ("recurring", "定期扣款"),
    "resolved": ("resolved", "已解决"),
    "service": ("service", "服务"),
    "sms": ("text message", "短信"),
    "urgent": ("urgent", "紧急"),
    "web": ("the web", "网页"),
    "wechat": ("WeChat", "微信"),
    "won": ("won", "成交"),
}
"""Value → in English and in Chinese. Those of greetings are here, too."""

_PLACES = {"en": 0, "zh": 1}


def in_words(value: str, language: str) -> str:
    """A value as a text of this language shows it: as it is if there are no words for it."""
    words, place = WORDS.get(value), _PLACES.get(language)
    return value if words is None or place is None else words[place]
