"""What all settings have in common: unknown names are errors, numbers have ranges."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
STUDY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"

#: Of methods and pretexts. Names are parts of files' names, which have an end.
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Base of all settings: unknown names are errors, values do not change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_booleans(cls, value: Any, field: ValidationInfo) -> Any:
        """Refuse true and false where they are not asked for: Python takes them for 1 and 0."""
        items = value if isinstance(value, list | tuple) else [value]
        asked_for = cls.model_fields[field.field_name].annotation is bool
        if not asked_for and any(isinstance(item, bool) for item in items):
            raise PydanticCustomError("boolean", "true or false")
        return value
