"""Sessions that logins create, for browsers and for clients with tokens, and the responses that return them."""

from dataclasses import dataclass
from typing import Self

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.logins.second_factor_schemas import SecondFactorBrowserResponse, SecondFactorTokenResponse
from stockbuddy.auth.sessions import commands as sessions
from stockbuddy.auth.sessions.browser_responses import to_browser_session
from stockbuddy.auth.sessions.commands import CreatedSession
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.users.model import User


@dataclass(frozen=True, slots=True)
class SessionKind:
    """How the user logged in: `method` and `second_factor` as in `create_session`, and the client's `User-Agent`."""

    method: str
    second_factor: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """`created`: with tokens, or the session of a browser and the value of its cookie."""

    user: User
    services: AuthServices
    created: CreatedSession | tuple[LoginSession, str]

    @classmethod
    async def create(
        cls, session: AsyncSession, user: User, services: AuthServices, kind: SessionKind, *, with_cookie: bool
    ) -> Self:
        create = sessions.create_browser_session if with_cookie else sessions.create_session
        created = await create(
            session,
            user,
            services.settings,
            user_agent=kind.user_agent,
            method=kind.method,
            second_factor=kind.second_factor,
        )
        return cls(user, services, created)

    def to_response(
        self, request: Request, response: Response, *, recovery_codes: list[str] | None = None
    ) -> SecondFactorTokenResponse | SecondFactorBrowserResponse:
        """Sets the cookies of a browser."""
        if isinstance(self.created, tuple):
            browser = to_browser_session(request, response, self.services.settings, self.user, self.created)
            return SecondFactorBrowserResponse(**dict(browser), recovery_codes=recovery_codes)
        forbid_caching(response)
        return SecondFactorTokenResponse(
            **dict(to_token_pair(self.created, self.services)), recovery_codes=recovery_codes
        )
