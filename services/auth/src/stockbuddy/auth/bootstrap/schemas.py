"""What a new system needs first."""

from pydantic import BaseModel


class SetupResponse(BaseModel):
    """`needs_admin`: no admin exists, so the first one may register; `needs_setup_token`: with the setup token."""

    needs_admin: bool
    needs_setup_token: bool
    registration_open: bool
