"""Tokens that look right and are not."""

import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def resigned(token: str, headers: dict | None = None, **changes) -> str:
    """`token` with `changes` to its claims, signed by a key of our own under the original's key id."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(
        claims_of(token) | changes, key, "RS256", headers=jwt.get_unverified_header(token) | (headers or {})
    )


def unsigned(token: str) -> str:
    """`token` with the algorithm `none` and no signature."""
    headers = jwt.get_unverified_header(token) | {"alg": "none"}
    return jwt.encode(claims_of(token), None, "none", headers=headers)


def of_another_tenant(token: str) -> str:
    tenant = str(uuid.uuid4())
    return resigned(token, tid=tenant, iss=f"https://sts.windows.net/{tenant}/")


def is_expired(token: str) -> bool:
    return claims_of(token)["exp"] < time.time()
