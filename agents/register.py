"""The register of rules read once to its end, for what runs beside the workers."""

from collections.abc import Sequence
from operator import itemgetter

from agents.core import core_settings, rule_set
from agents.reading import partitions_of, read_partition
from agents.rules import try_example
from config.settings import Settings
from config.wires import KafkaSettings
from config.yaml_text import read_yaml
from schemas.rule_register import RULES_TOPIC, Isolated
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.rules.checked import unknown_scores
from streams.rules.compiler import Compiler
from streams.rules.errors import RuleErrors
from streams.rules.lifecycle import Change, changed
from streams.rules.register import InForce, RegisterError, RuleBook, State
from streams.rules.ruleset import RuleSet

_SHOWN = 500


def read_register(kafka: KafkaSettings) -> RuleBook:
    """As it stands. Raises ReadingError."""
    book = RuleBook()
    partitions_of(kafka, RULES_TOPIC)  # says at once what reading would wait for
    for found in read_partition(kafka, RULES_TOPIC, 0):
        book.take(found.raw())
    return book


def rules_in_force(settings: Settings, core: CoreSettings) -> InForce:
    """What a worker has when it has read all of the register.

    Raises ReadingError, RegisterError, and what reading the files raises.
    """
    return newest_usable(read_register(settings.kafka), settings, core.compiler())


def newest_usable(
    book: RuleBook, settings: Settings, compiler: Compiler, known: InForce | None = None
) -> InForce:
    """Of the last states that which can be used; `known` if it is that one, which is not compiled
    again. Raises RegisterError, and what reading the files raises."""
    problem = ""
    for state in book.latest():
        if known is not None and state == known.state:
            return known
        try:
            return InForce(compile_state(book, state, settings, compiler), state)
        except RegisterError as error:
            problem = problem or str(error)
    raise RegisterError(problem)


def source_of(state: State) -> str:
    """Where the rules of a state come from, for people."""
    if state.active is None:
        return f"of files: {RULES_TOPIC} is empty"
    return f"in force by publication {state.active.number} of {RULES_TOPIC}; files are read no more"


def left_out(book: RuleBook) -> list[str]:
    """What was sent and counts for nothing, and why, for people: a line each, the oldest first."""
    return [
        f"what was sent at offset {offset} of {RULES_TOPIC} is not in force: "
        + _printable(f"{key.decode(errors='replace') or 'without a key'}: {why}")
        for key, (offset, why) in sorted(book.unusable.items(), key=itemgetter(1))
    ]


def newest_rules(book: RuleBook, settings: Settings) -> RuleSet:
    """Those that were put in force last. Raises RegisterError, in a line for people, where they
    cannot be used, and what reading the files raises."""
    try:
        return compile_state(book, book.state, settings, core_settings(settings).compiler())
    except RegisterError as error:
        first = _printable(str(error).partition("\n")[0])
        raise RegisterError(f"the newest rules of {RULES_TOPIC} cannot be used: {first}") from None


def _printable(text: str) -> str:
    """Whoever sent it commands no terminal."""
    return "".join(one if one.isprintable() else "�" for one in text[:_SHOWN])


def isolation(told: Isolated) -> str:
    return (
        f"isolated since {told.at}: a shadow after {told.errors} errors in a worker on "
        f"{told.worker}, until `vipcare rules approve` lifts it"
    )


def compile_state(book: RuleBook, state: State, settings: Settings, compiler: Compiler) -> RuleSet:
    """The rules of a state; those of files while nothing was published.

    Raises RegisterError, a line for each problem, and what reading the files raises.
    """
    of_files = rule_set(settings).definitions if state.active is None else ()
    try:
        return compiler.compile(book.definitions(state, of_files))
    except RuleErrors as error:
        raise RegisterError(str(error)) from None


def check_change(book: RuleBook, changes: Sequence[Change], settings: Settings) -> None:
    """Whether what would be in force compiles, and what is to be put in force does as its examples
    say. Raises RegisterError and FileErrors."""
    core = core_settings(settings)
    active = changed(book, changes, "", "")
    rules = compile_state(
        book, State(book.state.offset, active, book.state.isolated), settings, core.compiler()
    )
    problems = [str(one) for one in unknown_scores(rules.definitions)]
    for one in changes:
        if one.after.status == "retired":
            continue  # whatever is wrong with it
        rule = RuleDefinition.model_validate(
            read_yaml(book.versions[one.rule, one.after.version].source, "safe")
        )
        name = f"{rule.id}@{rule.version}"
        problems += [f"{name}: {one.key}: {one.message}" for one in try_example(rule, core)]
    if problems:
        raise RegisterError("\n".join(problems))
