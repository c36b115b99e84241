"""The base class of events: facts in the past tense that carry state, so that no consumer needs an earlier one."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.personal_data import PersonalFields

EVENTS: dict[str, type["Event"]] = {}
"""Event classes by type, registered when the packages of this distribution are imported."""


class Event(BaseModel):
    """The data of a CloudEvent. `type`: its CloudEvents type and routing key. `subject_template`: a format string for
    its subject, filled from its fields. `sequence_field`: the field that increases per subject, if any. `personal`:
    which of its fields are personal data; no field of a subject may be."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    subject_template: ClassVar[str]
    sequence_field: ClassVar[str | None] = None
    personal: ClassVar[tuple[PersonalFields, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "type" in cls.__dict__:
            if EVENTS.setdefault(cls.type, cls) is not cls:
                raise TypeError(f"two events have the type {cls.type}")

    def subject(self) -> str:
        """The CloudEvents subject, such as `product/42`; events with the same subject keep their order."""
        return self.subject_template.format_map(self.__dict__)

    def sequence(self) -> int | None:
        return getattr(self, self.sequence_field) if self.sequence_field else None

    @classmethod
    def source(cls) -> str:
        """The publishing service as CloudEvents source, such as `/services/stock`."""
        return f"/services/{cls.type.partition('.')[0]}"

    @classmethod
    def dataschema(cls) -> str:
        return f"urn:stockbuddy:schema:{cls.type}"
