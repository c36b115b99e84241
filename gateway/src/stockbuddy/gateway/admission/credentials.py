"""Who calls: verifies what a request shows as credentials and gives the header that services verify again."""

from dataclasses import dataclass

from stockbuddy.chassis.errors import Unauthenticated
from stockbuddy.chassis.identity import Principal, TokenVerifier, bearer_token
from stockbuddy.gateway.admission.incoming import Incoming
from stockbuddy.gateway.admission.revocations import Revocations


@dataclass(slots=True)
class Caller:
    """`authorization` is the header's value for the service."""

    principal: Principal
    authorization: bytes

    @property
    def name(self) -> str:
        """Who is counted and limited: a user, or a machine by its key."""
        session_id = self.principal.session_id
        return session_id if session_id.startswith("key:") else f"user:{self.principal.user_id}"


class Credentials:
    def __init__(self, verifier: TokenVerifier, revocations: Revocations) -> None:
        self._verifier = verifier
        self._revocations = revocations

    async def caller(self, incoming: Incoming) -> Caller | None:
        """None when the request shows no credentials. Raises Unauthenticated for bad ones."""
        authorization = incoming.noted.get(b"authorization")
        if authorization is None:
            return None
        return await self._by_token(bearer_token(authorization.decode("latin-1")))

    async def _by_token(self, token: str) -> Caller:
        principal = await self._verifier.verify(token)
        self._revocations.refuse_if_unknown()
        if self._revocations.has_ended(principal.session_id):
            raise Unauthenticated("The session has ended.")
        return Caller(principal, f"Bearer {token}".encode("latin-1"))
