"""Login throttling: pure rules that turn counts of failed logins into backoffs.

Three scopes. *Login at address*: after five failures, each further one doubles the backoff; a success resets it.
*Login*, over all addresses: slows an attacker with many addresses. It does not apply to an address from which this user
has logged in before, so that an attacker cannot lock users out of their usual till. *Address*, over all logins: slows
an attacker who tries one password on many accounts. An IPv6 client counts as its /64 network. Logins are counted as
typed, so that a backoff does not reveal whether the user exists. Counts decay with time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from stockbuddy.auth.crypto import SecretBox
from stockbuddy.auth.hashing import client_network
from stockbuddy.chassis.text_keys import case_key

MAX_BACKOFF_SECONDS = 900
MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Scope:
    """`free_failures` cause no backoff; the count decreases by one every `decay_seconds`."""

    name: str
    free_failures: int
    decay_seconds: int

    def remaining_failures(self, failures: int, elapsed: timedelta) -> int:
        """The count after `elapsed` time without a failure."""
        return max(0, failures - int(elapsed.total_seconds() / self.decay_seconds))

    def backoff_seconds(self, failures: int, first_backoff_seconds: int) -> int:
        """The backoff after that many failures; 0 means none."""
        if failures < self.free_failures:
            return 0
        doublings = min(failures - self.free_failures, MAX_DOUBLINGS)
        return min(first_backoff_seconds << doublings, MAX_BACKOFF_SECONDS)


LOGIN_AT_ADDRESS = Scope("login_at_address", free_failures=5, decay_seconds=900)
LOGIN = Scope("login", free_failures=20, decay_seconds=300)
ADDRESS = Scope("address", free_failures=100, decay_seconds=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """`login_digest`: keyed digest of the login as typed, which may be a password typed by mistake.
    `is_known_address`: the user has logged in from this address before."""

    login_digest: bytes
    address: str
    is_known_address: bool

    def keys(self) -> dict[bytes, Scope]:
        """Counter keys with their scopes, sorted by key: the order in which they are locked."""
        login, address = self.login_digest.hex(), client_network(self.address)
        scopes = {_key(LOGIN_AT_ADDRESS, login, address): LOGIN_AT_ADDRESS, _key(ADDRESS, address): ADDRESS}
        if not self.is_known_address:
            scopes[_key(LOGIN, login)] = LOGIN
        return dict(sorted(scopes.items()))


def digest_login(secret_box: SecretBox, login: str) -> bytes:
    """Equal for logins that differ in case only."""
    return secret_box.keyed_digest(f"login\n{case_key(login)}")


def digest_second_factor(secret_box: SecretBox, user_id: int) -> bytes:
    """Second factors are counted apart from passwords; `user_id` 0: of an unknown user."""
    return secret_box.keyed_digest(f"second factor\n{user_id}")


def _key(scope: Scope, *parts: str) -> bytes:
    return sha256("\n".join((scope.name, *parts)).encode()).digest()


def seconds_until(moment: datetime, now: datetime) -> int:
    """Rounded up, at least 1: the value of `Retry-After`."""
    return max(1, -int(-(moment - now).total_seconds() // 1))
