"""From a JWKS to the PEM files that peers want; reading a token without trusting it."""

import base64
import json


def decode(segment):
    """base64url without padding."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def header(token):
    """The header of a token, unverified."""
    return json.loads(decode(token.split(".")[0]))


def claims(token):
    """The claims of a token, unverified."""
    return json.loads(decode(token.split(".")[1]))


def tampered(token):
    """The same token with its expiry one second later: well formed, wrongly signed."""
    head, _, signature = token.split(".")
    changed = {**claims(token), "exp": claims(token)["exp"] + 1}
    return f"{head}.{encode(json.dumps(changed).encode())}.{signature}"


def _der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _integer(raw):
    # A leading zero keeps the number positive.
    return _der(0x02, (b"\0" if raw[0] & 0x80 else b"") + raw)


RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def pem(jwk):
    """SubjectPublicKeyInfo (RFC 5280) of an RSA JWK, as PEM."""
    key = _der(0x30, _integer(decode(jwk["n"])) + _integer(decode(jwk["e"])))
    info = _der(0x30, RSA_ENCRYPTION + _der(0x03, b"\0" + key))
    lines = base64.b64encode(info).decode()
    wrapped = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{wrapped}\n-----END PUBLIC KEY-----\n"


def key_for(jwks, token):
    """The JWK whose `kid` the token names."""
    kid = header(token)["kid"]
    return next(key for key in jwks["keys"] if key["kid"] == kid)
