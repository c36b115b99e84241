"""The relying party of WebAuthn (py_webauthn): options for authenticators, and verification of their responses.

Options and responses have the JSON form of WebAuthn Level 3, as browsers parse and serialise it themselves.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.parse_client_data_json import parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from stockbuddy.auth.factors.model import Passkey
from stockbuddy.auth.users.model import User

LOCALHOST = "localhost"
MALFORMED = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, struct.error)
"""What the library and its parsers raise for responses that no authenticator produces."""


class UnverifiableResponse(Exception):
    """The authenticator's response is malformed, forged, or of another challenge or site."""


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """`is_copy`: the counter has not grown, so that another authenticator has the same key."""

    sign_count: int
    is_copy: bool


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """`public_url`: where browsers reach the system. Passkeys belong to its host."""

    public_url: str

    @property
    def id(self) -> str:
        return urlsplit(self.public_url).hostname or LOCALHOST

    def creation_options(
        self, user: User, challenge: bytes, *, company: str, existing: Sequence[Passkey]
    ) -> dict[str, Any]:
        """For `navigator.credentials.create`."""
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=company,
            user_id=user_handle(user.id),
            user_name=user.username,
            user_display_name=user.full_name or user.username,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=[_descriptor(passkey) for passkey in existing],
        )
        return _to_json(options)

    def request_options(self, challenge: bytes, passkeys: Sequence[Passkey]) -> dict[str, Any]:
        """For `navigator.credentials.get`. Without `passkeys` any passkey of this site, with its PIN or biometrics."""
        verification = UserVerificationRequirement.PREFERRED if passkeys else UserVerificationRequirement.REQUIRED
        options = webauthn.generate_authentication_options(
            rp_id=self.id,
            challenge=challenge,
            allow_credentials=[_descriptor(passkey) for passkey in passkeys],
            user_verification=verification,
        )
        return _to_json(options)

    def verify_registration(self, credential: Mapping[str, Any], challenge: bytes) -> VerifiedRegistration:
        """Raises UnverifiableResponse."""
        try:
            return webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self._expected_origin(credential),
            )
        except MALFORMED as error:
            raise UnverifiableResponse(repr(error)) from error

    def verify_assertion(
        self, credential: Mapping[str, Any], challenge: bytes, passkey: Passkey, *, user_verification: bool
    ) -> VerifiedAssertion:
        """The signature is verified before the counter, which otherwise anyone could use to disable a passkey.
        `user_verification`: the authenticator must have checked a PIN or biometrics. Raises UnverifiableResponse."""
        try:
            verified = self._verify(credential, challenge, passkey, user_verification=user_verification)
        except MALFORMED as error:
            raise UnverifiableResponse(repr(error)) from error
        is_counting = verified.new_sign_count > 0 or passkey.sign_count > 0
        is_copy = is_counting and verified.new_sign_count <= passkey.sign_count
        return VerifiedAssertion(verified.new_sign_count, is_copy)

    def _verify(
        self, credential: Mapping[str, Any], challenge: bytes, passkey: Passkey, *, user_verification: bool
    ) -> VerifiedAuthentication:
        handle = credential["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != user_handle(passkey.user_id):
            raise ValueError("the passkey is of another user")
        return webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=self.id,
            expected_origin=self._expected_origin(credential),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=user_verification,
        )

    def _expected_origin(self, credential: Mapping[str, Any]) -> str:
        """On localhost every port is this site: development servers and `PORT` differ."""
        parts = urlsplit(self.public_url)
        expected = f"{parts.scheme}://{parts.netloc}"
        if self.id == LOCALHOST:
            origin = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).origin
            if urlsplit(origin).hostname == LOCALHOST:
                return origin
        return expected


def user_handle(user_id: int) -> bytes:
    """What authenticators store to name the account: opaque, without personal data."""
    return str(user_id).encode()


def credential_id(credential: Mapping[str, Any]) -> bytes:
    """Raises UnverifiableResponse."""
    try:
        return base64url_to_bytes(credential["rawId"])
    except MALFORMED as error:
        raise UnverifiableResponse(repr(error)) from error


def transports(credential: Mapping[str, Any]) -> list[str]:
    """The known ones of those that the browser names."""
    named = credential["response"].get("transports")
    known = {transport.value for transport in AuthenticatorTransport}
    return sorted(known & {str(name) for name in named}) if isinstance(named, list) else []


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    known = [AuthenticatorTransport(transport) for transport in passkey.transports]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=known or None)


def _to_json(options: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return document
