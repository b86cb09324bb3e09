"""Money as the simulated bank writes it: hundredths in integers, strings on the wire."""

BASE = "CNY"
RATES = {
    "CNY": 100, "USD": 712, "HKD": 91, "EUR": 775, "GBP": 905, "AUD": 468, "SGD": 529, "CAD": 521,
    "JPY": 5, "CHF": 804, "NZD": 432,
}  # fmt: skip
"""Currency → hundredths of the base currency for one unit. They stand still."""

CURRENCY_OF = {
    "CN": "CNY", "US": "USD", "HK": "HKD", "DE": "EUR", "FR": "EUR", "GB": "GBP", "AU": "AUD",
    "SG": "SGD", "CA": "CAD", "JP": "JPY", "CH": "CHF", "NZ": "NZD",
}  # fmt: skip
"""Country → its currency."""
ABROAD = tuple(country for country in CURRENCY_OF if country != "CN")


def money(hundredths: int) -> str:
    """Hundredths as a decimal string: 1234 → `12.34`."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def in_hundredths(amount: str) -> int:
    """The other way round: `12.34` → 1234."""
    return round(float(amount) * 100)


def in_base(hundredths: int, currency: str) -> int:
    """Hundredths of a currency in hundredths of the base currency."""
    return round(hundredths * RATES[currency] / 100)


def amounts(base: float, currency: str = BASE) -> dict[str, str]:
    """`amount` and `currency` of about so much in the base currency; in that itself, `base_amount`.

    Of an amount in another currency the worker reckons it, by `bank.reference`.
    """
    amount = money(max(1, round(base * 100 * 100 / RATES[currency])))
    told = {"amount": amount, "currency": currency}
    return told | {"base_amount": amount} if currency == BASE else told
