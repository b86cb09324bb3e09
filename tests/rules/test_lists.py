"""What the customer has, as rules ask for it: each list as events fill it, in an owner's words."""

from zoneinfo import ZoneInfo

from schemas.rule_examples import RuleExample
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.rules.compiler import compile_rules
from streams.rules.examples import play
from tests.lane.rules import rule

SETTINGS = CoreSettings(partitions=4, time_zone=ZoneInfo("Asia/Shanghai"))

GIVEN = """
account.opened account=A1 kind=savings currency=CNY
account.opened account=A2 kind=savings currency=HKD
account.closed account=A2
balance.reported account=A1 balance=900
deposit.placed deposit=D1 base_principal=1200000 rate=0.02 matures_on=2026-03-20
deposit.placed deposit=D2 base_principal=300000 rate=0.03 matures_on=2026-09-01
deposit.placed deposit=D3 base_principal=900000 rate=0.03 matures_on=2026-03-02
deposit.redeemed deposit=D3 amount=900000
product.purchased holding=H1 product_class=private-equity base_amount=300 risk_level=5
product.purchased holding=H2 product_class=fund base_amount=100 risk_level=2
loan.drawn loan=L1 kind=mortgage base_amount=5000 due_on=2026-03-05
card.issued card=K1 product=world limit=50000
card.limit_changed card=K1 limit=90000 temporary_until=2026-02-28
card.issued card=K2 product=gold limit=1000
card.limit_changed card=K2 limit=3000 temporary_until=2026-03-01
statement.issued card=K1 amount_due=700 due_on=2026-03-15
relation.added other=C7 relation=spouse
relation.added other=C8 relation=company
relation.removed other=C8 relation=company
interest.recorded interest=golf given_by=rm
benefit.used benefit=lounge base_cost=200
"""
FAMILY = [
    {"relation": "son", "birthday": "2010-03-02"},
    {"relation": "daughter", "birthday": "2008-02-29"},
]
SAYS = {
    "count(accounts)": "1",
    "sum(base_balance, accounts)": "900",
    "max(base_principal, deposits) > 1_000_000": "true",
    "any(deposits, where=days_until(matures_on) <= 30)": "true",
    "any(deposits, where=days_until(matures_on) <= 18)": "false",
    "days_until(min(matures_on, deposits))": "19",
    "avg(rate, deposits)": "0.025",
    "count(deposits, where=placed_on == '2026-03-01')": "2",
    "count(deposits, where=days_since(placed_on) > 0)": "0",
    "any(holdings, where=product_class == 'private-equity')": "true",
    "share(base_amount, holdings, of=risk_level == 5)": "0.75",
    "share(holdings, of=risk_level == 5, where=product_class == 'fund')": "0",
    "round(sum(base_amount, holdings, where=risk_level >= 5) / profile.base_assets, 4)": "0.0002",
    "sum(base_amount, loans, where=kind == 'mortgage')": "5000",
    "any(cards, where=amount_due > 0.01 * limit and days_until(due_on) < 20)": "true",
    "sum(limit, cards)": "53000",
    "max(temporary_until, cards)": "2026-03-01",
    "any(relations)": "true",
    "count(relations, where=relation == 'spouse')": "1",
    "any(relations, where=relation == 'company')": "false",
    "any(family, where=relation in ['son', 'daughter'] and age < 16)": "true",
    "any(family, where=relation in ['son', 'daughter'] and age < 15)": "false",
    "count(family, where=age >= 18)": "1",
    "any(interests, where=interest == 'golf' and given_by == 'rm')": "true",
    "sum(base_cost, benefits)": "200",
    "max(risk_level, holdings, where=product_class == 'trust')": "–",
    "sum(base_amount, holdings, where=product_class == event.page_topic)": "100",
    "any(holdings, where=product(product).risk_level > 3)": "false",
}


def given() -> list[dict[str, object]]:
    told: list[dict[str, object]] = [
        {"at": "2026-03-01 09:00", "event": "customer.updated", "with": {"family": FAMILY}}
    ]
    for line in GIVEN.strip().splitlines():
        event, *words = line.split(" ")
        pairs = (word.split("=") for word in words)
        fields = {name: int(value) if value.isdigit() else value for name, value in pairs}
        told.append({"at": "+1s", "event": event, "with": fields})
    return [
        *told,
        {"at": "2026-03-01 23:30", "event": "page.viewed", "with": {"page_topic": "fund"}},
    ]


def test_what_an_owner_says() -> None:
    names = [f"v{number}" for number in range(len(SAYS))]
    text = "|".join(f"{{{name}}}" for name in names)
    definition = RuleDefinition.model_validate(
        rule("a")
        | {
            "on": "page.viewed",
            "let": dict(zip(names, SAYS, strict=True)),
            "if": "true",
            "then": {"alert": {"text": {"en": text, "zh": text}}},
        }
    )
    rules = compile_rules([definition], zone=SETTINGS.time_zone)
    example = RuleExample.model_validate({"title": "all", "given": given(), "expect": []})
    [made] = play(example, rules, SETTINGS, "examples.0")
    said = made.data.values  # type: ignore[union-attr]  # an alert
    assert {text: said[name] for name, text in zip(names, SAYS, strict=True)} == SAYS
    assert "age" not in str(made)
