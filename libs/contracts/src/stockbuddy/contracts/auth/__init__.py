"""Events published by auth."""

from stockbuddy.contracts.auth.api_keys import ApiKeyAuthenticated, ApiKeyCreated, ApiKeyRevoked, ApiKeyState
from stockbuddy.contracts.auth.apps import (
    AppCreated,
    AppDeleted,
    AppGrantCreated,
    AppGrantEnded,
    AppState,
    AppUpdated,
    ConsentGranted,
    ConsentWithdrawn,
)
from stockbuddy.contracts.auth.emails import EmailFailed, EmailsDelayed
from stockbuddy.contracts.auth.factors import (
    FactorAdded,
    FactorDisabled,
    FactorRemoved,
    FactorState,
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
)
from stockbuddy.contracts.auth.invitations import (
    InvitationCreated,
    InvitationRevoked,
    InvitationState,
    InvitationUsed,
)
from stockbuddy.contracts.auth.logins import UNKNOWN_LOGIN, AccessDenied, LoginFailed, UserLockedOut, UserLoggedIn
from stockbuddy.contracts.auth.roles import RoleCreated, RoleDeleted, RoleState, RoleUpdated
from stockbuddy.contracts.auth.sessions import SessionRefreshed, SessionRevoked, SessionVerified, SigningKeyRotated
from stockbuddy.contracts.auth.system_settings import SettingsChanged
from stockbuddy.contracts.auth.users import (
    IdentityLinked,
    PasswordResetRequested,
    UserDeactivated,
    UserErased,
    UserPasswordChanged,
    UserReactivated,
    UserRegistered,
    UserRoleChanged,
    UserState,
    UserUpdated,
)
from stockbuddy.contracts.auth.views import ViewCreated, ViewDeleted, ViewState, ViewUpdated

__all__ = [
    "UNKNOWN_LOGIN",
    "AccessDenied",
    "ApiKeyAuthenticated",
    "ApiKeyCreated",
    "ApiKeyRevoked",
    "ApiKeyState",
    "AppCreated",
    "AppDeleted",
    "AppGrantCreated",
    "AppGrantEnded",
    "AppState",
    "AppUpdated",
    "ConsentGranted",
    "ConsentWithdrawn",
    "EmailFailed",
    "EmailsDelayed",
    "FactorAdded",
    "FactorDisabled",
    "FactorRemoved",
    "FactorState",
    "IdentityLinked",
    "InvitationCreated",
    "InvitationRevoked",
    "InvitationState",
    "InvitationUsed",
    "LoginFailed",
    "PasswordResetRequested",
    "RecoveryCodeUsed",
    "RecoveryCodesReplaced",
    "RoleCreated",
    "RoleDeleted",
    "RoleState",
    "RoleUpdated",
    "SessionRefreshed",
    "SessionRevoked",
    "SessionVerified",
    "SettingsChanged",
    "SigningKeyRotated",
    "UserDeactivated",
    "UserErased",
    "UserLockedOut",
    "UserLoggedIn",
    "UserPasswordChanged",
    "UserReactivated",
    "UserRegistered",
    "UserRoleChanged",
    "UserState",
    "UserUpdated",
    "ViewCreated",
    "ViewDeleted",
    "ViewState",
    "ViewUpdated",
]
