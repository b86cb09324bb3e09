"""Names of people that sound right, all made up by combining common ones."""

from random import Random
from typing import NamedTuple

_FAMILY = (
    "王 Wang", "李 Li", "张 Zhang", "刘 Liu", "陈 Chen", "杨 Yang", "黄 Huang", "赵 Zhao",
    "周 Zhou", "吴 Wu", "徐 Xu", "孙 Sun", "马 Ma", "朱 Zhu", "胡 Hu", "林 Lin", "郭 Guo",
    "何 He", "高 Gao", "罗 Luo", "郑 Zheng", "梁 Liang", "谢 Xie", "宋 Song", "唐 Tang", "许 Xu",
    "韩 Han", "冯 Feng", "邓 Deng", "曹 Cao", "彭 Peng", "曾 Zeng", "萧 Xiao", "田 Tian",
    "欧阳 Ouyang", "司徒 Situ",
)  # fmt: skip
_MEN = (
    "建国 Jianguo", "志强 Zhiqiang", "文博 Wenbo", "浩然 Haoran", "子轩 Zixuan", "明远 Mingyuan",
    "思远 Siyuan", "国栋 Guodong", "宇航 Yuhang", "嘉豪 Jiahao", "天佑 Tianyou", "俊杰 Junjie",
    "伟 Wei", "磊 Lei", "鹏飞 Pengfei", "海涛 Haitao", "一鸣 Yiming", "景行 Jingxing",
    "云帆 Yunfan", "承志 Chengzhi",
)  # fmt: skip
_WOMEN = (
    "丽华 Lihua", "淑珍 Shuzhen", "雅婷 Yating", "欣怡 Xinyi", "梓涵 Zihan", "诗琪 Shiqi",
    "美玲 Meiling", "静怡 Jingyi", "慧敏 Huimin", "晓燕 Xiaoyan", "雪梅 Xuemei", "婉清 Wanqing",
    "敏 Min", "芳 Fang", "娜 Na", "若兰 Ruolan", "书瑶 Shuyao", "佳宁 Jianing", "思琪 Siqi",
    "语桐 Yutong",
)  # fmt: skip
_FOREIGN_MEN = (
    "James", "David", "Michael", "Thomas", "Kenji", "Minjun", "Arjun", "Pierre", "Lukas", "Omar",
    "Marco", "Henrik",
)  # fmt: skip
_FOREIGN_WOMEN = (
    "Maria", "Sophie", "Elena", "Ingrid", "Yuki", "Seoyeon", "Priya", "Camille", "Anna",
    "Fatima", "Giulia", "Charlotte",
)  # fmt: skip
_FOREIGN_FAMILY = (
    "Smith", "Johansson", "Müller", "Dubois", "Tanaka", "Sato", "Kim", "Park", "Sharma", "Patel",
    "Rossi", "García", "Novak", "O'Connor", "van Dijk", "Al-Farsi", "Nguyen", "Tan", "Silva",
    "Hughes",
)  # fmt: skip
_FOREIGN_SHARE = 0.12
_PLAIN = str.maketrans({"ü": "ue", "í": "i", "'": "", " ": ""})


class Name(NamedTuple):
    shown: str
    latin: str
    """Lower case, for an address of mail."""
    family: str
    """The family name, to pass on to children."""
    chinese: bool


def person(rng: Random, *, woman: bool, family: str | None = None, chinese: bool = False) -> Name:
    """A name; with `family`, of that family; with `chinese`, never a foreign one."""
    foreign = family in _FOREIGN_FAMILY if family else rng.random() < _FOREIGN_SHARE
    if foreign and not chinese:
        last = family or rng.choice(_FOREIGN_FAMILY)
        given = rng.choice(_FOREIGN_WOMEN if woman else _FOREIGN_MEN)
        latin = f"{given}.{last}".lower().translate(_PLAIN)
        return Name(f"{given} {last}", latin, last, False)
    known = family if family and not foreign else rng.choice(_FAMILY)
    last, last_latin = known.split(" ")
    given, given_latin = rng.choice(_WOMEN if woman else _MEN).split(" ")
    return Name(last + given, f"{given_latin}.{last_latin}".lower(), known, True)


def anyone(rng: Random) -> str:
    """The shown name of somebody, as of another party of a transfer."""
    return person(rng, woman=rng.random() < 0.5).shown
