"""The login on a page: password, second factor or single sign-on, throttled like all logins."""

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Response

from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.errors import (
    HashingOverloaded,
    InvalidChallenge,
    InvalidCredentials,
    InvalidSecondFactor,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    SecondFactorUnavailable,
    TooManyAttempts,
    TooManyPasswords,
)
from stockbuddy.auth.fields import MAX_EMAIL_LENGTH, MAX_LOGIN_PASSWORD_LENGTH
from stockbuddy.auth.logins.authenticator import PasswordAuthenticator
from stockbuddy.auth.logins.second_factors import SecondFactorAuthenticator
from stockbuddy.auth.oauth.pages import redirect, render_page
from stockbuddy.auth.oauth.visitors import Visitor, set_challenge
from stockbuddy.auth.sessions.commands import create_browser_session
from stockbuddy.auth.sessions.cookies import set_cookies
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.chassis.http.errors import Problem

Form = dict[str, str]
ACTIONS = {"login", "code", "restart"}
MAX_CODE_LENGTH = 50
NO_FACTOR = "Your role requires a second factor. Set one up at Stockbuddy first, then open this page again."


@dataclass(frozen=True, slots=True)
class LoginPage:
    """`purpose`: a sentence for the user. `form_action`: where the forms go. `return_to`: the path with the query that
    the browser gets after the login. `form_target` as in `render_page`."""

    purpose: str
    form_action: str
    return_to: str
    form_target: str = ""


class PageLogin:
    """Shows the login to one visitor, and handles its forms."""

    def __init__(self, services: AuthServices, visitor: Visitor, page: LoginPage, user_agent: str | None) -> None:
        self._services = services
        self._visitor = visitor
        self._page = page
        self._user_agent = user_agent

    def show(self, error: Problem | None = None, *, username: str = "") -> Response:
        """The step that comes next. `error`: what was wrong with the last one."""
        response = render_page(
            "login" if self._visitor.challenge is None else "second_factor",
            status=error.status if error else 200,
            form_target=self._page.form_target,
            form_action=self._page.form_action,
            purpose=self._page.purpose,
            error=error.detail if error else "",
            csrf_token=self._visitor.csrf_token,
            challenge=self._visitor.challenge,
            username=username,
            site_url=self._services.settings.public_url,
            providers=self._providers(),
        )
        if error is not None and "Retry-After" in error.headers:
            response.headers["Retry-After"] = error.headers["Retry-After"]
        self._visitor.remember(response)
        return response

    async def handle(self, form: Form) -> Response:
        """`form` was protected against CSRF; its `action` is one of ACTIONS."""
        if form["action"] == "restart":
            return self._restart()
        try:
            return self._logged_in(await self._verify(form))
        except SecondFactorRequired as required:
            return self._restart(required.extra["challenge"])
        except InvalidChallenge:
            return self._restart()
        except SecondFactorSetupRequired:
            return self.show(SecondFactorSetupRequired(NO_FACTOR))
        except (
            InvalidCredentials,
            InvalidSecondFactor,
            SecondFactorUnavailable,
            TooManyAttempts,
            HashingOverloaded,
            TooManyPasswords,
        ) as error:
            return self.show(error, username=form.get("username", ""))

    async def _verify(self, form: Form) -> tuple[LoginSession, str]:
        """The new session and the value of its cookie."""
        if form["action"] == "code":
            return await self._verify_code(form.get("code", ""))
        return await self._verify_password(form.get("username", ""), form.get("password", ""))

    async def _verify_password(self, username: str, password: str) -> tuple[LoginSession, str]:
        username = username.strip()
        if not username or len(username) > MAX_EMAIL_LENGTH or len(password) > MAX_LOGIN_PASSWORD_LENGTH:
            raise InvalidCredentials()
        authenticator, settings = PasswordAuthenticator(self._services), self._services.settings
        async with authenticator.authenticate(username, password, with_cookie=True) as (session, user):
            return await create_browser_session(session, user, settings, user_agent=self._user_agent)

    async def _verify_code(self, code: str) -> tuple[LoginSession, str]:
        authenticator, settings = SecondFactorAuthenticator(self._services), self._services.settings
        if (challenge := self._visitor.challenge) is None:
            raise InvalidChallenge()
        if not 0 < len(code.strip()) <= MAX_CODE_LENGTH:
            raise InvalidSecondFactor()
        async with authenticator.complete(challenge, code.strip()) as (session, completed):
            return await create_browser_session(
                session, completed.user, settings, user_agent=self._user_agent, second_factor=completed.factor
            )

    def _logged_in(self, created: tuple[LoginSession, str]) -> Response:
        login, cookie = created
        response = redirect(self._page.return_to)
        set_cookies(response, cookie, self._visitor.cookies, login)
        set_challenge(response, self._visitor.cookies, None)
        return response

    def _restart(self, challenge: str | None = None) -> Response:
        """Show the page again: with the second step of the login, if there is a challenge."""
        response = redirect(self._page.return_to)
        set_challenge(response, self._visitor.cookies, challenge)
        return response

    def _providers(self) -> list[dict[str, str]]:
        settings = self._services.settings
        return [
            {
                "title": client.provider.title,
                "url": f"{settings.public_url}/api/v1/auth/oidc/{client.provider.name}/start"
                f"?return_to={quote(self._page.return_to, safe='')}",
            }
            for client in self._services.oidc.values()
        ]
