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
    """How much of it is bought on the net; what never is, is paid on the spot only."""
    home: tuple[str, ...]
    everywhere: tuple[str, ...] = ()
    """Merchants in all other countries."""
    in_country: Mapping[str, tuple[str, ...]] = {}
    """And in some; where there are none of either, nothing of the category is bought."""

    def merchants(self, country: str) -> tuple[str, ...]:
        return self.home if country == "CN" else self.everywhere + self.in_country.get(country, ())


CATEGORIES = (
    Category("5812", 20, 0.7, 0.1, ("外滩三号餐厅", "新荣记", "Lakeside Bistro", "大董烤鸭"),
             ("Trattoria Roma", "The Steak House", "Dragon Pearl"),
             {"GB": ("The Ivy", "Nobu"), "JP": ("Sushi Saito",), "FR": ("Le Jules Verne",),
              "US": ("Nobu",)}),
    Category("5411", 14, 0.5, 0.4, ("Ole' 超市", "盒马鲜生", "City Super", "山姆会员店"),
             (),
             {"GB": ("Waitrose",), "JP": ("Don Don Donki",), "US": ("Whole Foods",),
              "FR": ("Monoprix",), "AU": ("Woolworths",), "CH": ("Migros",), "HK": ("Wellcome",),
              "DE": ("Edeka",), "SG": ("FairPrice",), "CA": ("Loblaws",), "NZ": ("New World",)}),
    Category("5311", 9, 1.6, 0.3, ("恒隆广场", "SKP", "万象城"),
             (),
             {"FR": ("Galeries Lafayette",), "GB": ("Harrods",), "JP": ("Isetan",),
              "HK": ("Lane Crawford",), "DE": ("KaDeWe",), "US": ("Bloomingdale's",),
              "AU": ("David Jones",), "SG": ("Takashimaya",), "CA": ("Holt Renfrew",),
              "CH": ("Globus",), "NZ": ("Ballantynes",)}),
    Category("5651", 7, 1.1, 0.5, ("Ports 1961", "江南布衣", "之禾"), ("Burberry", "Max Mara")),
    Category("5944", 2, 4.5, 0.1, ("老凤祥", "周大福", "Cartier 恒隆店"), ("Cartier",),
             {"CH": ("Bucherer",), "DE": ("Bucherer",)}),
    Category("5641", 1.2, 0.9, 0.6, ("爱婴室", "孩子王", "Bonpoint 芮欧店"), (),
             {"GB": ("JoJo Maman Bébé",), "FR": ("Petit Bateau",), "JP": ("Akachan Honpo",),
              "US": ("Carter's",)}),
    Category("5945", 1.2, 0.5, 0.5, ("玩具反斗城", "乐高品牌店"), ("LEGO Store",),
             {"GB": ("Hamleys",)}),
    Category("8062", 3, 1.4, 0.0, ("和睦家医院", "瑞金医院特需部", "嘉会国际医院")),
    Category("8211", 1.5, 5.0, 0.5, ("平和双语学校", "包玉刚实验学校", "德威国际学校"),
             (),
             {"GB": ("Cheltenham College", "UCL Accommodation"), "US": ("Phillips Exeter Academy",),
              "AU": ("University of Sydney",), "CA": ("University of Toronto",)}),
    Category("4511", 4, 3.2, 0.9, ("China Eastern", "中国国航", "Cathay Pacific"),
             ("Singapore Airlines", "Lufthansa", "Emirates")),
    Category("7011", 4, 3.0, 0.6, ("和平饭店", "Aman 养云安缦", "君悦酒店"),
             ("Hilton", "InterContinental"),
             {"DE": ("Hotel Adlon",), "HK": ("The Peninsula",), "FR": ("The Peninsula",),
              "GB": ("Claridge's",), "CH": ("Baur au Lac",), "SG": ("Raffles",)}),
    Category("5541", 7, 0.3, 0.0, ("中国石化", "壳牌加油站", "特来电充电")),
    Category("4121", 8, 0.1, 0.9, ("滴滴出行", "神州专车"), ("Uber",),
             {"SG": ("Grab",), "GB": ("Addison Lee",)}),
    Category("7997", 2, 2.6, 0.1, ("佘山高尔夫俱乐部", "观澜湖高尔夫"), (),
             {"GB": ("St Andrews Links",), "US": ("Pebble Beach",), "AU": ("Royal Melbourne",)}),
    Category("7298", 4, 0.9, 0.2, ("悦榕 SPA", "思妍丽", "丝域养发")),
    Category("5732", 4, 1.8, 0.7, ("Apple 南京东路店", "京东", "顺电"), ("Apple Store",),
             {"JP": ("Yodobashi Camera",)}),
    Category("5712", 2, 3.4, 0.4, ("美克美家", "造作", "Minotti 上海")),
    Category("5942", 2, 0.2, 0.6, ("茑屋书店", "钟书阁"), (),
             {"GB": ("Daunt Books",), "JP": ("Kinokuniya",), "US": ("Barnes & Noble",)}),
    Category("5921", 2, 1.3, 0.4, ("也买酒", "茅台专卖店"), (),
             {"GB": ("Berry Bros. & Rudd",), "FR": ("Nicolas",)}),
    Category("7922", 2, 0.6, 0.8, ("上海大剧院", "保利剧院"), (),
             {"GB": ("Royal Opera House",), "US": ("Metropolitan Opera",),
              "AU": ("Sydney Opera House",)}),
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
def _shares(season: Season, turn: str, steps: int, taste: int, country: str) -> Sequence[float]:
    """Cumulative shares of the categories; `steps` of the turn have been taken."""
    taken = steps / STEPS
    turned = TURNS.get(turn, {})
    by_season = _SEASONS.get(season, {})
    shares = []
    for number, one in enumerate(CATEGORIES):
        share = one.share * by_season.get(one.code, 1.0)
        share *= 1.0 + (turned.get(one.code, 1.0) - 1.0) * taken
        share *= 1.8 if number % _TASTES == taste else 1.0
        shares.append(share if one.merchants(country) else 0.0)
    return tuple(accumulate(shares))


def choose_category(
    rng: Random, season: Season, turn: str, steps: int, taste: int, country: str
) -> Category:
    """A category, by what people of that taste pay for at that time of year and of their life."""
    shares = _shares(season, turn, steps, taste % _TASTES, country)
    return rng.choices(CATEGORIES, cum_weights=shares)[0]
