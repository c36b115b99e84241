"""How failed logins slow down the next ones: pure rules.

Three counts. *Login at address*: after five failures each further one doubles the pause; a success clears it.
*Login*, over all addresses: slows an attacker with many of them, but never an address from which this user has
logged in before, so that nobody can lock a user out of the till they always use. *Address*, over all logins: slows
who tries one password on everybody. Logins are counted as typed, so that a pause says nothing about whether the
user exists. All of it is forgiven with time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

LONGEST_PAUSE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Scope:
    """`free` failures cost nothing; one is forgiven every `forgiven_seconds`."""

    name: str
    free: int
    forgiven_seconds: int

    def remaining(self, failures: int, since: timedelta) -> int:
        """What is left of `failures` after that time without another."""
        return max(0, failures - int(since.total_seconds() / self.forgiven_seconds))

    def pause_seconds(self, failures: int, first_pause_seconds: int) -> int:
        """How long to wait after that many failures."""
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, 16)
        return min(first_pause_seconds << doublings, LONGEST_PAUSE_SECONDS)


LOGIN_AT_ADDRESS = Scope("login_at_address", free=5, forgiven_seconds=900)
LOGIN = Scope("login", free=20, forgiven_seconds=300)
ADDRESS = Scope("address", free=100, forgiven_seconds=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """`login` as it was typed; `is_familiar` when that user has logged in from this address before."""

    login: str
    address: str
    is_familiar: bool

    def keys(self) -> dict[bytes, Scope]:
        """What to count it under, in the order of the keys: that is also the order of locking."""
        login = self.login.lower()
        scopes = {_key(LOGIN_AT_ADDRESS, login, self.address): LOGIN_AT_ADDRESS, _key(ADDRESS, self.address): ADDRESS}
        if not self.is_familiar:
            scopes[_key(LOGIN, login)] = LOGIN
        return dict(sorted(scopes.items()))


def _key(scope: Scope, *parts: str) -> bytes:
    return sha256("\n".join((scope.name, *parts)).encode()).digest()


def seconds_until(moment: datetime, now: datetime) -> int:
    """Rounded up, at least one: what `Retry-After` says."""
    return max(1, -int(-(moment - now).total_seconds() // 1))
