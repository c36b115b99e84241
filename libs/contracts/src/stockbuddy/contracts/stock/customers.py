"""Events of customers."""

from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class CustomerState(Event):
    """A customer after the change."""

    subject_template: ClassVar[str] = "customer/{customer_id}"
    sequence_field: ClassVar[str | None] = "version"
    personal: ClassVar[tuple[PersonalFields, ...]] = (
        PersonalFields("customer/{customer_id}", ("name", "email", "phone", "address", "notes")),
    )

    customer_id: int
    version: int
    name: str
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    notes: str | None = None


class CustomerCreated(CustomerState):
    type: ClassVar[str] = "stock.customer.created"


class CustomerUpdated(CustomerState):
    type: ClassVar[str] = "stock.customer.updated"


class CustomerDeleted(CustomerState):
    type: ClassVar[str] = "stock.customer.deleted"


class CustomerErased(CustomerState):
    """The personal data of the customer was erased; the state carries a neutral name such as `erased-5`."""

    type: ClassVar[str] = "stock.customer.erased"
    personal: ClassVar[tuple[PersonalFields, ...]] = ()
