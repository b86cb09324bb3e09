"""What the definitions of rules and their examples are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Duration = Annotated[str, Field(pattern=r"^\d{1,5}[smhdw]$", examples=["30d", "1h"])]


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
