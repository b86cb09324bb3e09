"""What events, fields and values are called in the bank's languages."""

from typing import NamedTuple


class Happening(NamedTuple):
    """An event type in words: that it happens, and several of them."""

    en: str
    en_many: str
    zh: str
    zh_many: str


EVENTS = {
    "customer.updated": Happening(
        "the customer's data change", "changes of the customer's data", "资料变更", "资料变更"
    ),
    "account.opened": Happening("an account is opened", "accounts opened", "开立账户", "开户"),
    "account.closed": Happening("an account is closed", "accounts closed", "销户", "销户"),
    "transfer.completed": Happening(
        "a transfer is completed", "completed transfers", "完成一笔转账", "转账"
    ),
    "transfer.reversed": Happening(
        "a transfer is reversed", "reversed transfers", "一笔转账被冲正", "转账冲正"
    ),
    "balance.reported": Happening(
        "a balance is reported", "reported balances", "余额更新", "余额更新"
    ),
    "deposit.placed": Happening(
        "a time deposit is placed", "time deposits placed", "存入定期存款", "定期存款存入"
    ),
    "deposit.renewed": Happening(
        "a time deposit is renewed", "renewed time deposits", "定期存款续存", "定期存款续存"
    ),
    "deposit.redeemed": Happening(
        "a time deposit is redeemed", "redeemed time deposits", "定期存款支取", "定期存款支取"
    ),
    "product.purchased": Happening(
        "a product is purchased", "product purchases", "购买产品", "产品购买"
    ),
    "product.redeemed": Happening(
        "a product is redeemed", "product redemptions", "赎回产品", "产品赎回"
    ),
    "loan.drawn": Happening("a loan is drawn", "loans drawn", "贷款放款", "贷款放款"),
    "loan.repaid": Happening("a loan is repaid", "loan repayments", "归还贷款", "还款"),
    "relation.added": Happening(
        "a relation is added", "relations added", "新增关系人", "关系人新增"
    ),
    "relation.removed": Happening(
        "a relation is removed", "relations removed", "解除关系人", "关系人解除"
    ),
    "tag.added": Happening("a tag is added", "tags added", "添加标签", "标签添加"),
    "tag.removed": Happening("a tag is removed", "tags removed", "去除标签", "标签去除"),
    "interest.recorded": Happening(
        "an interest is recorded", "interests recorded", "记录兴趣", "兴趣记录"
    ),
    "benefit.used": Happening("a benefit is used", "benefits used", "使用权益", "权益使用"),
    "card.issued": Happening("a card is issued", "cards issued", "发卡", "发卡"),
    "card.authorised": Happening(
        "a card payment is authorised", "authorised card payments", "刷卡授权", "刷卡授权"
    ),
    "card.settled": Happening(
        "a card payment is settled", "settled card payments", "刷卡消费入账", "刷卡消费"
    ),
    "card.declined": Happening(
        "a card payment is declined", "declined card payments", "刷卡被拒", "刷卡被拒"
    ),
    "card.reversed": Happening(
        "a card payment is reversed", "reversed card payments", "刷卡撤销", "刷卡撤销"
    ),
    "card.limit_changed": Happening(
        "a card's limit changes", "changes of card limits", "信用卡额度变更", "额度变更"
    ),
    "statement.issued": Happening(
        "a card statement is issued", "card statements", "信用卡出账单", "账单"
    ),
    "logged.in": Happening("the customer logs in", "logins", "登录", "登录"),
    "page.viewed": Happening("a page is viewed", "page views", "浏览页面", "页面浏览"),
    "journey.started": Happening(
        "a piece of business is started", "pieces of business started", "开始办理业务", "业务开始"
    ),
    "journey.completed": Happening(
        "a piece of business is completed",
        "pieces of business completed",
        "完成业务办理",
        "业务完成",
    ),
    "journey.abandoned": Happening(
        "a piece of business is abandoned",
        "pieces of business abandoned",
        "放弃业务办理",
        "业务放弃",
    ),
    "question.asked": Happening("a question is asked", "questions", "提出咨询", "咨询"),
    "complaint.raised": Happening("a complaint is raised", "complaints", "提出投诉", "投诉"),
    "suggestion.raised": Happening("a suggestion is made", "suggestions", "提出建议", "建议"),
    "call.received": Happening("the customer calls", "calls", "来电", "来电"),
    "branch.visited": Happening("a branch is visited", "branch visits", "到访网点", "网点到访"),
    "message.received": Happening("a message is received", "messages", "收到消息", "消息"),
    "rm.contacted": Happening(
        "the relationship manager contacts the customer",
        "contacts by the relationship manager",
        "被客户经理联系",
        "客户经理联系",
    ),
    "survey.answered": Happening("a survey is answered", "survey answers", "答复问卷", "问卷答复"),
    "task.accepted": Happening("a task is accepted", "accepted tasks", "任务被接受", "任务接受"),
    "task.started": Happening("a task is started", "started tasks", "任务开始", "任务开始"),
    "task.completed": Happening("a task is completed", "completed tasks", "任务完成", "任务完成"),
    "task.declined": Happening("a task is declined", "declined tasks", "任务被拒", "任务被拒"),
    "contact.made": Happening(
        "the bank tries to reach the customer",
        "attempts to reach the customer",
        "被银行尝试联系",
        "银行尝试联系",
    ),
    "campaign.announced": Happening(
        "a campaign is announced", "campaigns announced", "收到活动通知", "活动通知"
    ),
    "holiday.approaching": Happening(
        "a holiday approaches", "approaching holidays", "遇节假日临近", "节假日临近"
    ),
    "outcome.recorded": Happening(
        "an outcome is recorded", "outcomes recorded", "记录任务结果", "任务结果"
    ),
}

LISTS = {
    "accounts": ("accounts", "账户"),
    "deposits": ("time deposits", "定期存款"),
    "holdings": ("holdings", "持仓产品"),
    "loans": ("loans", "贷款"),
    "cards": ("cards", "银行卡"),
    "relations": ("relations to other customers", "关系人"),
    "family": ("members of the family", "家庭成员"),
    "interests": ("interests", "兴趣"),
    "benefits": ("benefits used", "已用权益"),
}
"""List of a record → what is in it, in English and in Chinese."""

FIELDS = {
    "about": ("subject", "事由"),
    "account": ("account", "账户"),
    "accounts": ("number of accounts", "账户数"),
    "active": ("at work", "在岗"),
    "age": ("age", "年龄"),
    "amount": ("amount", "金额"),
    "amount_due": ("amount due", "应还金额"),
    "attempt": ("attempt", "办理编号"),
    "balance": ("balance", "余额"),
    "base_amount": ("amount in the base currency", "金额（本币）"),
    "base_assets": ("assets", "总资产"),
    "base_balance": ("balance in the base currency", "余额（本币）"),
    "base_cost": ("cost in the base currency", "成本（本币）"),
    "base_deposits": ("time deposits", "定期存款总额"),
    "base_funds": ("funds", "基金总额"),
    "base_insurance": ("insurance", "保险总额"),
    "base_loans": ("loans", "贷款总额"),
    "base_net": ("assets less loans", "净资产"),
    "base_principal": ("principal in the base currency", "本金（本币）"),
    "base_wealth": ("wealth products", "理财总额"),
    "benefit": ("benefit", "权益"),
    "best": ("best possible score", "满分"),
    "branch": ("branch", "网点"),
    "by": ("who reported it", "反馈人"),
    "call": ("call", "通话"),
    "card": ("card", "卡"),
    "case": ("case", "工单"),
    "category": ("category", "类别"),
    "channel": ("channel", "渠道"),
    "city": ("city", "城市"),
    "cost": ("cost", "成本"),
    "counterparty_bank": ("other party's bank", "对方银行"),
    "counterparty_country": ("other party's country", "对方国家或地区"),
    "count": ("number of times", "次数"),
    "country": ("country", "国家或地区"),
    "currency": ("currency", "币种"),
    "customer": ("customer", "客户"),
    "deposit": ("time deposit", "定期存款"),
    "deposits": ("number of time deposits", "定期存款笔数"),
    "deputy": ("deputy", "代理人"),
    "device": ("device", "设备"),
    "direction": ("direction", "方向"),
    "due_on": ("due day", "到期还款日"),
    "early": ("before its day", "提前支取"),
    "exchange_rate": ("currency", "汇率币种"),
    "given_by": ("who gave it", "给予者"),
    "handled_by": ("who handled it", "处理人"),
    "holding": ("holding", "持仓"),
    "holdings": ("number of holdings", "持仓数"),
    "interest": ("interest", "兴趣"),
    "interest_rate": ("interest rate", "利率名称"),
    "issued_on": ("day of issue", "发卡日"),
    "journey": ("piece of business", "业务"),
    "kind": ("kind", "类型"),
    "language": ("language", "语言"),
    "lead": ("lead", "负责人"),
    "least_amount": ("least amount", "起购金额"),
    "left": ("what is left", "剩余金额"),
    "limit": ("limit", "额度"),
    "loan": ("loan", "贷款"),
    "loans": ("number of loans", "贷款笔数"),
    "matures_on": ("day of maturity", "到期日"),
    "merchant": ("merchant", "商户"),
    "occupation": ("occupation", "职业"),
    "offered_from": ("first day of the offer", "发售起始日"),
    "offered_until": ("last day of the offer", "发售截止日"),
    "opened_on": ("first day as a customer", "开户日"),
    "other": ("other customer", "对方客户"),
    "outcome": ("outcome", "结果"),
    "page": ("page", "页面"),
    "page_topic": ("topic of the page", "页面主题"),
    "payment": ("payment", "支付编号"),
    "placed_on": ("day it was placed or renewed", "存入或续存日"),
    "place": ("place", "地点"),
    "presence": ("way of paying", "支付方式"),
    "previous": ("previous value", "原值"),
    "principal": ("principal", "本金"),
    "product": ("product", "产品"),
    "product_class": ("class of the product", "产品类别"),
    "purpose": ("purpose", "用途"),
    "rate": ("rate", "利率"),
    "reached": ("customer reached", "已联系上"),
    "reason": ("reason", "原因"),
    "recorded_on": ("day it was recorded", "记录日"),
    "relation": ("relation", "关系"),
    "residence": ("residence", "居住地"),
    "reverse": ("told by the other side", "由对方告知"),
    "risk_level": ("risk level", "风险等级"),
    "rm": ("relationship manager", "客户经理"),
    "score": ("score", "评分"),
    "seconds": ("seconds", "秒数"),
    "severity": ("severity", "严重程度"),
    "statement_currency": ("currency of the bill", "账单币种"),
    "statement": ("statement", "账单"),
    "step": ("step", "步骤"),
    "survey": ("survey", "问卷"),
    "tag": ("tag", "标签"),
    "task": ("task", "任务"),
    "team": ("team", "团队"),
    "temporary_until": ("end of the temporary limit", "临时额度截止日"),
    "term_months": ("term in months", "期限（月）"),
    "tier": ("tier", "客户等级"),
    "title_en": ("English title", "英文名称"),
    "title_zh": ("Chinese title", "中文名称"),
    "transfer": ("transfer", "转账编号"),
    "used_on": ("day of the last use", "最近使用日"),
    "birthday": ("birthday", "生日"),
    "audience": ("audience", "目标客群"),
    "business_days": ("business days until then", "距今工作日数"),
    "campaign": ("campaign", "活动"),
    "day": ("day", "日期"),
    "ends_on": ("last day", "结束日"),
    "first_day": ("first day off", "假期首日"),
    "holiday": ("holiday", "节假日"),
    "last_day": ("last day", "末日"),
    "seats": ("seats", "名额"),
    "starts_on": ("first day", "开始日"),
}
"""Field → its name in English and in Chinese."""

FIELDS_OF = {
    ("accounts", "opened_on"): ("day it was opened", "开户日"),
    ("campaign", "category"): ("category of the campaign", "活动类别"),
    ("card", "category"): ("merchant category", "商户类别"),
    ("page", "seconds"): ("time on the page in seconds", "停留秒数"),
    ("call", "seconds"): ("length of the call in seconds", "通话秒数"),
}
"""What an event is about, or a list, and a field → the field's name there, where it says more."""

VALUES = {
    "app": ("the app", "手机银行"),
    "high": ("high", "高"),
    "in": ("in", "转入"),
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
    "sms": ("text message", "短信"),
    "urgent": ("urgent", "紧急"),
    "web": ("the web", "网页"),
    "wechat": ("WeChat", "微信"),
    "won": ("won", "成交"),
}
"""What a field with a closed list of values can be."""

ATTACHMENTS = {
    "preference_analysis": ("an analysis of preferences", "偏好分析"),
    "asset_summary": ("a summary of assets", "资产概览"),
    "recent_contacts": ("the last contacts", "近期联系记录"),
}

RELATIVES = {
    "child": ("child", "子女"),
    "daughter": ("daughter", "女儿"),
    "father": ("father", "父亲"),
    "husband": ("husband", "丈夫"),
    "mother": ("mother", "母亲"),
    "parent": ("parent", "父母"),
    "partner": ("partner", "伴侣"),
    "son": ("son", "儿子"),
    "spouse": ("spouse", "配偶"),
    "wife": ("wife", "妻子"),
}
"""The usual relations of a family; a bank may tell others, which stay as they are."""
