"""What event types are called in the bank's languages."""

from typing import NamedTuple


class Happening(NamedTuple):
    """An event type in words: that it happens, and several of them."""

    en: str
    en_many: str
    zh: str
    zh_many: str
    by_customer: bool = False
    """The customer does it, and is said before."""

    def in_words(self, place: int) -> str:
        """That it happens, in English (0) or Chinese (1)."""
        return self.zh if place else self.en

    def several(self, place: int) -> str:
        return self.zh_many if place else self.en_many


def _done(en: str, en_many: str, zh: str, zh_many: str) -> Happening:
    return Happening(en, en_many, zh, zh_many, by_customer=True)


EVENTS = {
    "customer.updated": Happening(
        "the customer's data change", "changes of the customer's data", "客户资料变更", "资料变更"
    ),
    "account.opened": Happening("an account is opened", "accounts opened", "客户开立账户", "开户"),
    "account.closed": Happening("an account is closed", "accounts closed", "客户销户", "销户"),
    "transfer.completed": Happening(
        "a transfer is completed", "completed transfers", "一笔转账完成", "转账"
    ),
    "transfer.reversed": Happening(
        "a transfer is reversed", "reversed transfers", "一笔转账被冲正", "转账冲正"
    ),
    "balance.reported": Happening(
        "a balance is reported", "reported balances", "账户余额更新", "余额更新"
    ),
    "deposit.placed": _done(
        "places a time deposit", "time deposits placed", "存入定期存款", "定期存款存入"
    ),
    "deposit.renewed": _done(
        "renews a time deposit", "renewed time deposits", "续存定期存款", "定期存款续存"
    ),
    "deposit.redeemed": _done(
        "redeems a time deposit", "redeemed time deposits", "支取定期存款", "定期存款支取"
    ),
    "product.purchased": _done("buys a product", "product purchases", "购买产品", "产品购买"),
    "product.redeemed": _done("redeems a product", "product redemptions", "赎回产品", "产品赎回"),
    "loan.drawn": _done("draws a loan", "loans drawn", "支用贷款", "贷款支用"),
    "loan.repaid": _done("makes a loan repayment", "loan repayments", "归还贷款", "还款"),
    "relation.added": Happening(
        "a relation is added", "relations added", "客户新增关系人", "关系人新增"
    ),
    "relation.removed": Happening(
        "a relation is removed", "relations removed", "客户解除关系人", "关系人解除"
    ),
    "tag.added": Happening(
        "the customer is given a tag", "tags given", "客户被添加标签", "标签添加"
    ),
    "tag.removed": Happening(
        "a tag of the customer's is taken away", "tags taken away", "客户被去除标签", "标签去除"
    ),
    "interest.recorded": Happening(
        "an interest of the customer's is recorded",
        "interests recorded",
        "客户的兴趣被记录",
        "兴趣记录",
    ),
    "benefit.used": _done("uses a benefit", "uses of benefits", "使用权益", "权益使用"),
    "card.issued": Happening("a card is issued", "cards issued", "客户获发银行卡", "发卡"),
    "card.authorised": Happening(
        "a card payment is authorised", "authorised card payments", "客户刷卡获授权", "刷卡授权"
    ),
    "card.settled": Happening(
        "a card payment is settled", "settled card payments", "客户刷卡消费入账", "刷卡消费入账"
    ),
    "card.declined": Happening(
        "a card payment is declined", "declined card payments", "客户刷卡被拒", "刷卡被拒"
    ),
    "card.reversed": Happening(
        "a card payment is reversed", "reversed card payments", "客户的刷卡交易被撤销", "刷卡撤销"
    ),
    "card.limit_changed": Happening(
        "a card's limit changes", "changes of card limits", "客户信用卡额度变更", "额度变更"
    ),
    "statement.issued": Happening(
        "a card statement is issued", "card statements", "客户信用卡出账单", "账单"
    ),
    "logged.in": _done("logs in", "logins", "登录", "登录"),
    "page.viewed": _done("views a page", "page views", "浏览页面", "页面浏览"),
    "journey.started": _done("starts a journey", "started journeys", "开始办理业务", "业务开始"),
    "journey.completed": _done(
        "completes a journey", "completed journeys", "完成业务办理", "业务完成"
    ),
    "journey.abandoned": _done(
        "abandons a journey", "abandoned journeys", "放弃业务办理", "业务放弃"
    ),
    "question.asked": _done("asks a question", "questions", "提出咨询", "咨询"),
    "complaint.raised": _done("raises a complaint", "complaints", "提出投诉", "投诉"),
    "suggestion.raised": _done("makes a suggestion", "suggestions", "提出建议", "建议"),
    "call.received": _done("calls", "calls by the customer", "来电", "来电"),
    "branch.visited": _done("visits a branch", "branch visits", "到访网点", "网点到访"),
    "message.received": _done(
        "sends a message", "messages from the customer", "发来消息", "客户来信"
    ),
    "rm.contacted": Happening(
        "the relationship manager contacts the customer",
        "contacts by the relationship manager",
        "客户经理联系客户",
        "客户经理联系",
    ),
    "survey.answered": _done("answers a survey", "survey answers", "答复问卷", "问卷答复"),
    "task.accepted": Happening("a task is accepted", "accepted tasks", "任务被接受", "任务接受"),
    "task.started": Happening("a task is started", "started tasks", "任务开始", "任务开始"),
    "task.completed": Happening("a task is completed", "completed tasks", "任务完成", "任务完成"),
    "task.declined": Happening("a task is declined", "declined tasks", "任务被拒", "任务被拒"),
    "contact.made": Happening(
        "the bank tries to reach the customer",
        "attempts to reach the customer",
        "银行尝试联系客户",
        "银行尝试联系",
    ),
    "campaign.announced": Happening(
        "a campaign is announced", "campaigns announced", "银行发布活动", "活动发布"
    ),
    "holiday.approaching": Happening(
        "a holiday approaches", "approaching holidays", "节假日临近", "节假日临近"
    ),
    "outcome.recorded": Happening(
        "the outcome of a task is recorded", "outcomes of tasks", "任务结果被记录", "任务结果"
    ),
}
