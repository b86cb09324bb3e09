"""What holds for every customer: told on a global topic, about a thing that has an id."""

from schemas.envelope import Event


class Fact(Event, frozen=True):
    """A fact as it is from then on, whole."""

    @classmethod
    def kind(cls) -> str:
        """What it is a fact about, such as `exchange_rate`; its data has the id under this name."""
        return cls.event_type().rpartition(".")[0]

    def own_subject(self) -> str:
        """The subject that a fact with this data must have."""
        return f"{self.kind()}:{getattr(self.data, self.kind())}"
