"""Keys and certificates, made by ``openssl``: for TLS, for mutual TLS, and to sign tokens."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.process import run
from tests.support.programs import require

_EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
_RSA_KEY = ("rsa:2048",)
_LOCAL = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """``ca`` signed ``server`` and ``client``; ``token`` is an RSA pair that signed itself."""

    ca: KeyPair
    server: KeyPair
    client: KeyPair
    token: KeyPair


def make_certificates(directory: Path) -> Certificates:
    """Write a CA, a server certificate for 127.0.0.1, a client's, and a token signer."""
    ca = _make(directory, "ca", _EC_KEY)
    by_ca = ("-CA", str(ca.certificate), "-CAkey", str(ca.key))
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    server = (*by_ca, *leaf, "-addext", _LOCAL, "-addext", "extendedKeyUsage=serverAuth")
    client = (*by_ca, *leaf, "-addext", "extendedKeyUsage=clientAuth")
    return Certificates(
        ca=ca,
        server=_make(directory, "server", _EC_KEY, *server),
        client=_make(directory, "client", _EC_KEY, *client),
        token=_make(directory, "token", _RSA_KEY),
    )


def _make(directory: Path, name: str, key_kind: tuple[str, ...], *options: str) -> KeyPair:
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
    files = ("-out", str(pair.certificate), "-keyout", str(pair.key))
    request = ("req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN=planner test {name}")
    run((require("openssl"), *request, "-newkey", *key_kind, *options, *files))
    return pair
