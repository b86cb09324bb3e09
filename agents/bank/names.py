"""Names and places that sound right, all made up by combining common ones."""

from random import Random
from typing import NamedTuple

_FAMILY = (
    "王 Wang|李 Li|张 Zhang|刘 Liu|陈 Chen|杨 Yang|黄 Huang|赵 Zhao|周 Zhou|吴 Wu|徐 Xu|孙 Sun|"
    "马 Ma|朱 Zhu|胡 Hu|林 Lin|郭 Guo|何 He|高 Gao|罗 Luo|郑 Zheng|梁 Liang|谢 Xie|宋 Song|唐 Tang|"
    "许 Xu|韩 Han|冯 Feng|邓 Deng|曹 Cao|彭 Peng|曾 Zeng|萧 Xiao|田 Tian|欧阳 Ouyang|司徒 Situ"
)
_GIVEN = (
    "建国 Jianguo|志强 Zhiqiang|文博 Wenbo|浩然 Haoran|子轩 Zixuan|明远 Mingyuan|思远 Siyuan|"
    "国栋 Guodong|宇航 Yuhang|嘉豪 Jiahao|天佑 Tianyou|俊杰 Junjie|丽华 Lihua|淑珍 Shuzhen|"
    "雅婷 Yating|欣怡 Xinyi|梓涵 Zihan|诗琪 Shiqi|美玲 Meiling|静怡 Jingyi|慧敏 Huimin|"
    "晓燕 Xiaoyan|雪梅 Xuemei|婉清 Wanqing|敏 Min|伟 Wei|磊 Lei|洋 Yang|芳 Fang|娜 Na"
)
_FOREIGN_GIVEN = (
    "James|Maria|David|Sophie|Michael|Elena|Thomas|Ingrid|Kenji|Yuki|Minjun|Seoyeon|Arjun|"
    "Priya|Pierre|Camille|Lukas|Anna|Omar|Fatima"
)
_FOREIGN_FAMILY = (
    "Smith|Johansson|Müller|Dubois|Tanaka|Sato|Kim|Park|Sharma|Patel|Rossi|García|Novak|"
    "O'Connor|van Dijk|Al-Farsi|Nguyen|Tan|Silva|Hughes"
)
_FOREIGN_SHARE = 0.12

CITIES = (
    "Shanghai",
    "Beijing",
    "Shenzhen",
    "Hangzhou",
    "Guangzhou",
    "Suzhou",
    "Chengdu",
    "Nanjing",
)
OCCUPATIONS = (
    "entrepreneur", "executive", "physician", "lawyer", "investor", "architect", "professor",
    "engineer", "retired", "artist",
)  # fmt: skip
EMPLOYERS = (
    "华东实业",
    "星河科技",
    "远洋物流",
    "瑞和医疗",
    "金桥置业",
    "Northwind Trading",
    "Helios GmbH",
)
MERCHANTS = {
    "5812": ("外滩三号餐厅", "Lakeside Bistro", "新荣记"),
    "5311": ("恒隆广场", "Galeries Lafayette", "SKP"),
    "5944": ("老凤祥", "Cartier", "周大福"),
    "4511": ("China Eastern", "Singapore Airlines", "Lufthansa"),
    "7011": ("和平饭店", "Aman Summer Palace", "Grand Hyatt"),
    "5411": ("Ole' 超市", "盒马鲜生", "City Super"),
    "8062": ("和睦家医院", "瑞金医院特需部"),
    "5541": ("中国石化", "壳牌加油站"),
}
"""Merchant category code (ISO 18245) → merchants."""


class Name(NamedTuple):
    shown: str
    latin: str
    """Lower case, for an address of mail."""
    chinese: bool


def person(rng: Random, family: str | None = None) -> Name:
    """A name; with `family`, a relative of that Chinese family name and its spelling."""
    if family is None and rng.random() < _FOREIGN_SHARE:
        given, last = rng.choice(_FOREIGN_GIVEN.split("|")), rng.choice(_FOREIGN_FAMILY.split("|"))
        plain = last.replace("ü", "ue").replace("í", "i").replace("'", "").replace(" ", "")
        return Name(f"{given} {last}", f"{given}.{plain}".lower(), False)
    last, last_latin = (family or rng.choice(_FAMILY.split("|"))).split(" ")
    given, given_latin = rng.choice(_GIVEN.split("|")).split(" ")
    return Name(last + given, f"{given_latin}.{last_latin}".lower(), True)


def family_of(name: Name) -> str | None:
    """The family name to pass on to relatives, if it is a Chinese one."""
    if not name.chinese:
        return None
    return next(family for family in _FAMILY.split("|") if name.shown.startswith(family.split()[0]))
