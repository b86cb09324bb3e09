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


def amounts(base: float, currency: str = BASE) -> dict[str, str]:
    """`amount`, `currency` and `base_amount` of about so much in the base currency."""
    amount = max(1, round(base * 100 * 100 / RATES[currency]))
    return {
        "amount": money(amount),
        "currency": currency,
        "base_amount": money(max(1, amount * RATES[currency] // 100)),
    }
