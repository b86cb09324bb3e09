"""A rule as people say it, in the bank's languages, made of its checked nodes.

Every kind of node, aggregate, action, event type and field has its words; a test sees to it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from schemas.effects import Text
from schemas.rule_parts import Text as Title
from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.nodes import And, Base, Holds, Literal, Node, Not, Or
from streams.rules.checked import CheckedRule
from streams.rules.explain.besides import besides
from streams.rules.explain.chinese import CHINESE
from streams.rules.explain.conditions import Teller
from streams.rules.explain.dates import told_date
from streams.rules.explain.english import ENGLISH
from streams.rules.explain.phrases import Phrases
from streams.rules.explain.words import ATTACHMENTS

_ALWAYS = 100


def explain(
    rule: CheckedRule, attributes: Attributes = NONE_DECLARED, holidays_ahead: int | None = None
) -> Text:
    """The rule in a few sentences. How many business days ahead holidays are told is the bank's
    setting; not said if not known."""

    def told(phrases: Phrases) -> str:
        more = besides(rule, phrases, holidays_ahead)
        return _Sentences(rule, phrases, attributes).told(more)

    return {"en": told(ENGLISH), "zh": told(CHINESE)}


class _Sentences:
    def __init__(self, rule: CheckedRule, phrases: Phrases, attributes: Attributes) -> None:
        self._rule = rule
        self._phrases = phrases
        steps = rule.sequence.steps if rule.sequence else ()
        self._teller = Teller(phrases, rule.definition.on, steps, attributes=attributes)

    def told(self, more: Iterable[str]) -> str:
        """With sentences that stand before what holds it back."""
        say = self._teller.say
        said = [
            self._when(),
            self._if(),
            self._absence(),
            self._score(),
            say("then", say("next").join(self._actions())),
            self._signals(),
        ]
        if lets := list(self._lets()):
            said.append(say("lets", say("next").join(lets)))
        said += [say("stop", one) for one in (*more, *self._gates())]
        told = "".join(said)
        return told[0].upper() + told[1:]

    def _when(self) -> str:
        rule, teller = self._rule, self._teller
        wait = rule.definition.wait
        if wait is not None and rule.waits.dates:
            date = told_date(teller, wait)
            if all(one.is_own for one in rule.waits.dates):
                return date
            return teller.say("dated", date, teller.happens(rule.definition.on))
        return teller.say("when", teller.happens(rule.definition.on)) + self._sequence()

    def _if(self) -> str:
        """Nothing for a rule that always holds: of a score that is usual."""
        teller = self._teller
        condition, unless = _parted(self._rule.condition)
        said = "" if unless is None else teller.say("unless", teller.group(unless))
        if isinstance(condition, Literal) and condition.value is True:
            return said
        more = said or self._rule.definition.score or self._rule.waits.absence
        goes_on = more and isinstance(condition, Or)
        told = teller.group(condition) if goes_on else teller.condition(condition)
        return teller.say("if", told) + said

    def _score(self) -> str:
        score = self._rule.definition.score
        if score is None:
            return ""
        return self._teller.say("score", score.name, score.threshold, score.release)

    def _signals(self) -> str:
        """What a score is made of."""
        teller, score = self._teller, self._rule.definition.score
        if score is None:
            return ""
        told = [
            teller.say(
                "signal" if one.points > 0 else "signal_off",
                self._phrases.quantity(abs(one.points), "points"),
                teller.group(node),
            )
            for one, node in zip(score.signals, self._rule.signals, strict=True)
        ]
        return teller.say("signals", teller.say("next").join(told))

    def _sequence(self) -> str:
        checked, asked = self._rule.sequence, self._rule.definition.sequence
        if checked is None or asked is None:
            return ""
        teller, steps = self._teller, []
        for step in checked.steps:
            asked_of = [*_joined(step.own), *_joined(step.link)]
            there = teller.of(step.types)
            told = teller.say("and").join(map(there.group, asked_of))
            which = teller.say("step_where", told) if told else ""
            steps.append(teller.say("step_came", step.name, teller.happens(step.types), which))
        key = "sequence" if len(steps) == 1 else "sequence_of"
        return teller.say(key, teller.length(asked.within), self._phrases.listed(steps))

    def _absence(self) -> str:
        """It stands behind the condition, which is looked at before the wait."""
        teller, wait, absence = self._teller, self._rule.definition.wait, self._rule.waits.absence
        if absence is None:
            return ""
        assert wait is not None
        same = self._phrases.listed([*map(teller.field, absence.same)]) if absence.same else ""
        where = absence.where
        return teller.say(
            "absence",
            teller.length(wait.for_ or ""),
            teller.events(absence.types),
            teller.say("same", same) if same else "",
            teller.say("where", teller.of(absence.types).condition(where))
            if where is not None
            else "",
        )

    def _lets(self) -> Iterator[str]:
        teller = self._teller
        for name, node in self._rule.lets.items():
            is_flag = node.type.base is Base.FLAG
            key, told = ("whether", teller.group(node)) if is_flag else ("is", teller.tell(node))
            yield teller.say(key, teller.say("let", name), told)

    def _actions(self) -> Iterator[str]:
        rule, teller, forms = self._rule.definition, self._teller, self._phrases.actions
        then = rule.then
        for action in then.actions:
            match action:
                case "task" if then.task is not None:
                    due = forms["due"].format(teller.length(then.task.due)) if then.task.due else ""
                    due += self._attached(then.task.attach)
                    title = self._text(then.task.title or rule.title)
                    said = forms[action].format(title, teller.value(then.task.priority), due)
                case "alert" if then.alert is not None:
                    title = self._text(then.alert.title or rule.title)
                    attached = self._attached(then.alert.attach)
                    said = forms[action].format(title, teller.value(then.alert.severity), attached)
                case "process" if then.process is not None:
                    said = forms[action].format(then.process.name)
                case "greeting" if then.greeting is not None:
                    by = self._phrases.listed([*map(teller.value, then.greeting.channels)], "or")
                    purpose = teller.value(then.greeting.purpose)
                    said = forms[action].format(then.greeting.occasion, by, purpose)
                case "note" if then.note is not None:
                    said = forms[action].format(then.note.about)
                case _:
                    said = forms[action].format(getattr(then, action))
            yield said

    def _attached(self, names: Sequence[str]) -> str:
        if not names:
            return ""
        told = [ATTACHMENTS[one][self._phrases.place] for one in names]
        return self._phrases.actions["attach"].format(self._phrases.listed(told))

    def _text(self, text: Title) -> str:
        return text.zh if self._phrases.place else text.en

    def _gates(self) -> Iterator[str]:
        rule, teller, forms = self._rule.definition, self._teller, self._phrases.gates
        if rule.cooldown:
            key = "stretches" if rule.amendable else "cooldown"
            yield forms[key].format(teller.length(rule.cooldown))
        if rule.limit:
            times = self._phrases.times(rule.limit.times)
            yield forms["limit"].format(times, teller.length(rule.limit.within))
        if rule.rollout < _ALWAYS:
            yield forms["rollout"].format(rule.rollout)
        if rule.holdout:
            yield forms["holdout"].format(rule.holdout)
        if rule.active and rule.active.from_:
            yield forms["from"].format(rule.active.from_)
        if rule.active and rule.active.until:
            yield forms["until"].format(rule.active.until)
        if rule.amendable:
            yield forms["amendable"]


def _joined(node: Node | None) -> tuple[Node, ...]:
    """What all has to hold."""
    if node is None:
        return ()
    return node.parts if isinstance(node, And) else (node,)


def _parted(condition: Node) -> tuple[Node, Node | None]:
    """What has to hold, and what hinders if it holds: the rule's `unless`, which comes last."""
    match condition:
        case And(parts=(*others, Not(part=Holds(part=unless)))):
            only = others[0] if len(others) == 1 else replace(condition, parts=tuple(others))
            return only, unless
    return condition, None
