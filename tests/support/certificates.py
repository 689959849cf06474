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
    client = (*_by(ca), "-addext", "extendedKeyUsage=clientAuth")
    return Certificates(
        ca=ca,
        server=make_server(directory, "server", ca),
        client=_make(directory, "client", _EC_KEY, *client),
        token=_make(directory, "token", _RSA_KEY),
    )


def make_server(directory: Path, name: str, ca: KeyPair, names: str = _LOCAL) -> KeyPair:
    """Write a server's certificate for some hosts."""
    return _make(
        directory,
        name,
        _EC_KEY,
        *_by(ca),
        *("-addext", names),
        *("-addext", "extendedKeyUsage=serverAuth"),
    )


def make_expired(directory: Path, server: KeyPair, ca: KeyPair) -> KeyPair:
    """Write the certificate that a server had for two days of the year 2020."""
    request, certificate = directory / "expired.csr", directory / "expired.crt"
    config = directory / "expired.cnf"
    (directory / "index.txt").touch()
    config.write_text(
        "[ca]\ndefault_ca = own\n[own]\n"
        f"database = {directory}/index.txt\nnew_certs_dir = {directory}\nrand_serial = yes\n"
        "default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"
        f"[leaf]\n{_LOCAL.replace('=', ' = ')}\n"
    )
    openssl = require("openssl")
    subject = ("-subj", "/CN=planner test expired")
    run((openssl, "req", "-new", *subject, "-key", str(server.key), "-out", str(request)))
    dates = ("-startdate", "20200101000000Z", "-enddate", "20200103000000Z")
    files = ("-config", str(config), "-in", str(request), "-out", str(certificate), "-notext")
    by_ca = ("-cert", str(ca.certificate), "-keyfile", str(ca.key))
    run((openssl, "ca", "-batch", "-extensions", "leaf", *dates, *files, *by_ca))
    return KeyPair(certificate, server.key)


def _by(ca: KeyPair) -> tuple[str, ...]:
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    return ("-CA", str(ca.certificate), "-CAkey", str(ca.key), *leaf)


def _make(directory: Path, name: str, key_kind: tuple[str, ...], *options: str) -> KeyPair:
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
    files = ("-out", str(pair.certificate), "-keyout", str(pair.key))
    request = ("req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN=planner test {name}")
    run((require("openssl"), *request, "-newkey", *key_kind, *options, *files))
    return pair
