"""A software authenticator for tests: it does with WebAuthn's JSON forms what a browser and a security key do."""

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "http://localhost:8000"
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(16)


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Authenticator:
    """One key pair (ES256). `verifies_user`: it checks a PIN. `counts`: it has a signature counter."""

    verifies_user: bool = True
    counts: bool = True
    origin: str = ORIGIN
    sign_count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: bytes = b""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The response to `navigator.credentials.create`."""
        self.user_handle = decode(options["user"]["id"])
        data = self._data(options["rp"]["id"], ATTESTED) + AAGUID + struct.pack(">H", len(self.credential_id))
        data += self.credential_id + cbor2.dumps(self._cose_key())
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options["challenge"])
        response = {"clientDataJSON": encode(client_data), "attestationObject": encode(attestation)}
        return self._credential({**response, "transports": ["usb", "carrier-pigeon"]})

    def get(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The response to `navigator.credentials.get`; `changes`: another `rp_id`, `challenge` or `user_handle`."""
        allowed = [decode(allowed["id"]) for allowed in options.get("allowCredentials", [])]
        assert not allowed or self.credential_id in allowed
        data = self._data(changes.get("rp_id", options["rpId"]), 0)
        client_data = self._client_data("webauthn.get", changes.get("challenge", options["challenge"]))
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": encode(changes.get("user_handle", self.user_handle)),
            }
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        self.sign_count += self.counts
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies_user else 0)
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, self.sign_count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _cose_key(self) -> dict[int, Any]:
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = encode(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
