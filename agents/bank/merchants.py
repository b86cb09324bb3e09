"""Where customers pay by card: merchants by category, and how seasons and life shift the shares."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from agents.bank.calendar import Season


class Category(NamedTuple):
    code: str
    """Merchant category code, ISO 18245."""
    share: float
    """Of an average customer's payments, compared with the other categories."""
    price: float
    """Of a usual payment here, compared with the customer's usual one."""
    online: float
    """How much of it is bought on the net."""
    home: tuple[str, ...]
    abroad: tuple[str, ...] = ()
    """Merchants in other countries; none: only at home."""


CATEGORIES = (
    Category("5812", 20, 0.7, 0.1, ("外滩三号餐厅", "新荣记", "Lakeside Bistro", "大董烤鸭"),
             ("Nobu", "The Ivy", "Sushi Saito", "Le Jules Verne")),
    Category("5411", 14, 0.5, 0.4, ("Ole' 超市", "盒马鲜生", "City Super", "山姆会员店"),
             ("Waitrose", "Don Don Donki", "Whole Foods")),
    Category("5311", 9, 1.6, 0.3, ("恒隆广场", "SKP", "万象城"),
             ("Galeries Lafayette", "Harrods", "Isetan", "Lane Crawford")),
    Category("5651", 7, 1.1, 0.5, ("Ports 1961", "江南布衣", "之禾"), ("Burberry", "Max Mara")),
    Category("5944", 2, 4.5, 0.1, ("老凤祥", "周大福", "Cartier 恒隆店"), ("Cartier", "Bucherer")),
    Category("5641", 1.2, 0.9, 0.6, ("爱婴室", "孩子王", "Bonpoint 芮欧店"), ("JoJo Maman Bébé",)),
    Category("5945", 1.2, 0.5, 0.5, ("玩具反斗城", "乐高品牌店"), ("Hamleys",)),
    Category("8062", 3, 1.4, 0.0, ("和睦家医院", "瑞金医院特需部", "嘉会国际医院")),
    Category("8211", 1.5, 5.0, 0.5, ("平和双语学校", "包玉刚实验学校", "德威国际学校"),
             ("Cheltenham College", "UCL Accommodation")),
    Category("4511", 4, 3.2, 0.9, ("China Eastern", "中国国航", "Cathay Pacific"),
             ("Singapore Airlines", "Lufthansa", "Emirates")),
    Category("7011", 4, 3.0, 0.6, ("和平饭店", "Aman 养云安缦", "君悦酒店"),
             ("Mandarin Oriental", "The Peninsula", "Hotel Adlon")),
    Category("5541", 7, 0.3, 0.0, ("中国石化", "壳牌加油站", "特来电充电")),
    Category("4121", 8, 0.1, 0.9, ("滴滴出行", "神州专车"), ("Uber", "Grab", "Addison Lee")),
    Category("7997", 2, 2.6, 0.1, ("佘山高尔夫俱乐部", "观澜湖高尔夫"), ("St Andrews Links",)),
    Category("7298", 4, 0.9, 0.2, ("悦榕 SPA", "思妍丽", "丝域养发")),
    Category("5732", 4, 1.8, 0.7, ("Apple 南京东路店", "京东", "顺电"), ("Yodobashi Camera",)),
    Category("5712", 2, 3.4, 0.4, ("美克美家", "造作", "Minotti 上海")),
    Category("5942", 2, 0.2, 0.6, ("茑屋书店", "钟书阁"), ("Daunt Books",)),
    Category("5921", 2, 1.3, 0.4, ("也买酒", "茅台专卖店"), ("Berry Bros. & Rudd",)),
    Category("7922", 2, 0.6, 0.8, ("上海大剧院", "保利剧院"), ("Royal Opera House",)),
)  # fmt: skip

_SEASONS: Mapping[Season, Mapping[str, float]] = {
    "before new year": {"5311": 1.8, "5411": 1.6, "5921": 2.5, "5944": 1.8, "5651": 1.4},
    "new year": {"5812": 1.6, "4511": 2.0, "7011": 2.0, "5541": 1.5, "7922": 1.5, "5712": 0.3},
    "labour day": {"4511": 1.6, "7011": 1.8, "5541": 1.4},
    "summer": {"4511": 1.5, "7011": 1.6, "5945": 1.4},
    "back to school": {"8211": 8.0, "5732": 1.5, "5942": 2.0},
    "mid-autumn": {"5411": 1.4, "5311": 1.3, "5921": 1.4},
    "national day": {"4511": 2.2, "7011": 2.2, "5812": 1.3, "5541": 1.5},
    "singles day": {"5732": 2.8, "5651": 2.4, "5311": 1.5, "5712": 1.8, "5641": 1.6},
    "christmas": {"5311": 1.4, "5945": 1.5, "4511": 1.4, "7011": 1.4},
}
TURNS: Mapping[str, Mapping[str, float]] = {
    "baby": {"5641": 14.0, "5945": 5.0, "8062": 3.0, "5812": 0.35, "7922": 0.3, "5921": 0.4},
    "studies": {"8211": 6.0, "5942": 3.0, "4511": 1.8, "5732": 1.5},
    "retirement": {"8062": 2.2, "4511": 1.8, "7011": 1.7, "7298": 1.5, "4121": 0.5, "5651": 0.6},
    "new home": {"5712": 6.0, "5732": 2.0, "5541": 1.3},
    "golf": {"7997": 6.0, "5541": 1.4, "5651": 1.2},
}
"""Turn of a life → how it changes the share of a category, once it is complete."""
_TASTES = 8
STEPS = 10
"""A turn is complete in so many steps, see life.py."""


@lru_cache(4_096)
def _shares(season: Season, turn: str, steps: int, taste: int, abroad: bool) -> Sequence[float]:
    """Cumulative shares of the categories; `steps` of the turn have been taken."""
    taken = steps / STEPS
    turned = TURNS.get(turn, {})
    by_season = _SEASONS.get(season, {})
    shares = []
    for number, one in enumerate(CATEGORIES):
        share = one.share * by_season.get(one.code, 1.0)
        share *= 1.0 + (turned.get(one.code, 1.0) - 1.0) * taken
        share *= 1.8 if number % _TASTES == taste else 1.0
        shares.append(0.0 if abroad and not one.abroad else share)
    return tuple(accumulate(shares))


def choose_category(
    rng: Random, season: Season, turn: str, steps: int, taste: int, *, abroad: bool
) -> Category:
    """A category, by what people of that taste pay for at that time of year and of their life."""
    shares = _shares(season, turn, steps, taste % _TASTES, abroad)
    return rng.choices(CATEGORIES, cum_weights=shares)[0]
