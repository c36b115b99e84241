"""What an event is: a fact in the past tense that carries state, so that no reader needs an earlier one."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

EVENTS: dict[str, type["Event"]] = {}
"""Every event of every service by its type, filled as the modules of this package are imported."""


class Event(BaseModel):
    """The data of one CloudEvent. `type` is its CloudEvents type and routing key; `subject_template` is the pattern of its
    subject, filled from its own fields; `sequence_field` names the field that grows per subject, if there is one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    subject_template: ClassVar[str]
    sequence_field: ClassVar[str | None] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "type" in cls.__dict__:
            if EVENTS.setdefault(cls.type, cls) is not cls:
                raise TypeError(f"two events are called {cls.type}")

    def subject(self) -> str:
        """`product/42`: what the event is about, and what its order is kept by."""
        return self.subject_template.format_map(self.__dict__)

    def sequence(self) -> int | None:
        return getattr(self, self.sequence_field) if self.sequence_field else None

    @classmethod
    def source(cls) -> str:
        """The service that says it, as CloudEvents' source: `/services/stock`."""
        return f"/services/{cls.type.partition('.')[0]}"

    @classmethod
    def dataschema(cls) -> str:
        return f"urn:stockbuddy:schema:{cls.type}"
