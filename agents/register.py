"""The register of rules read once to its end, for what runs beside the workers."""

from agents.core import rule_set
from agents.reading import read_partition
from config.settings import Settings
from config.wires import KafkaSettings
from schemas.rule_register import RULES_TOPIC
from streams.context import CoreSettings
from streams.rules.errors import RuleErrors
from streams.rules.register import InForce, RegisterError, RuleBook, State
from streams.rules.ruleset import RuleSet


def read_register(kafka: KafkaSettings, until: int | None = None) -> RuleBook:
    """As it stands, or as it was up to an offset. Raises ReadingError."""
    book = RuleBook()
    for found in read_partition(kafka, RULES_TOPIC, 0):
        if until is not None and found.offset >= until:
            break
        book.take(found.raw())
    return book


def rules_in_force(settings: Settings, core: CoreSettings) -> InForce:
    """What a worker has when it has read all of the register.

    Raises ReadingError, RegisterError, and what reading the files raises.
    """
    book = read_register(settings.kafka)
    problem = ""
    for state in book.latest():
        try:
            return InForce(compile_state(book, state, settings, core), state)
        except RegisterError as error:
            problem = problem or str(error)
    raise RegisterError(problem)


def compile_state(book: RuleBook, state: State, settings: Settings, core: CoreSettings) -> RuleSet:
    """The rules of a state; those of files while nothing was published.

    Raises RegisterError, a line for each problem, and what reading the files raises.
    """
    of_files = rule_set(settings).definitions if state.active is None else ()
    try:
        return core.compiled(book.definitions(state, of_files))
    except RuleErrors as error:
        raise RegisterError(str(error)) from None
