"""What a spec says about reaching a registry holds for exactly that registry, now and when a saved plan is applied."""

from __future__ import annotations

from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from textwrap import indent

import pytest

from planner.config import Config, RegistrySettings, Tls
from planner.core.certificate import certificates, decode
from planner.core.errors import RegistryError
from planner.core.plan_file import from_json
from planner.needs import Collected, Wanted, collect
from planner.stores.authorities import authority_text
from planner.stores.opening import Places, Stores
from planner.stores.registry import Registry
from planner.stores.tls import tls_context
from planner.ui.cli import main
from tests.fakes import Basic, FakeRegistry
from tests.making import IMPATIENT, error_of, login
from tests.support.certificates import Certificates, make_certificates

VARIABLE = "EKSA_REGISTRY_MIRROR_CA"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def ca(made: Certificates) -> str:
    return made.ca.certificate.read_text("ascii")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_USERNAME", "me")
    monkeypatch.setenv("REGISTRY_PASSWORD", "secret")


def write_spec(endpoint: str = "h.corp", port: str = "", **more: str) -> str:
    """An EKS Anywhere cluster behind a mirror."""
    settings = {"endpoint": endpoint, **({"port": f'"{port}"'} if port else {}), **more}
    lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
    text = (
        "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Cluster\nmetadata: {name: prod}\n"
        f"spec:\n  datacenterRef: {{kind: DockerDatacenterConfig, name: prod}}\n"
        f"  registryMirrorConfiguration:\n{lines}"
    )
    Path("prod.yaml").write_text(text, "utf-8")
    Path("images.txt").write_text("public.ecr.aws/team/app:v1\n", "utf-8")
    return "prod.yaml"


def block(pem: str) -> str:
    return f"|\n{indent(pem, '      ')}"


def collected(*specs: str) -> Collected:
    return collect(Config(), Wanted(specs, images=("images.txt",)))


def open_target(registry: str, **places: object) -> Registry:
    store = Stores(Places(**places), IMPATIENT).target(registry)  # type: ignore[arg-type]
    assert isinstance(store, Registry)
    return store


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"authenticate": "true"}, ("h.corp:443",), id="port-of-https"),
        pytest.param({"authenticate": "true", "port": "8443"}, ("h.corp:8443",), id="port"),
        pytest.param({"authenticate": "false"}, (), id="no"),
        pytest.param({}, (), id="not-said"),
    ],
)
def test_a_spec_says_where_the_environment_logs_in(
    given: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert collected(write_spec(**given)).logins == expected


def test_specs_of_other_systems_log_in_nowhere() -> None:
    Path("registries.yaml").write_text(
        "mirrors: {docker.io: {endpoint: ['https://h.corp']}}\n"
        "configs: {h.corp: {auth: {username: me, password: secret}}}\n",
        "utf-8",
    )
    Path("images.txt").write_text("alpine\n", "utf-8")
    found = collected("registries.yaml")
    assert (found.logins, found.authorities) == ((), {})


@pytest.mark.parametrize(
    ("registry", "places"),
    [
        pytest.param("h.corp:443", {}, id="itself"),
        pytest.param("h.corp", {}, id="without-port"),
        pytest.param("other.corp", {"write_to": "https://H.corp/x"}, id="redirected-there"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_the_environment_logs_in_there(registry: str, places: dict[str, str]) -> None:
    store = open_target(registry, logins=("h.corp:443",), **places)
    assert store._authorizer.describe("a/b") == (
        "the credentials from REGISTRY_USERNAME and REGISTRY_PASSWORD"
    )


@pytest.mark.parametrize(
    ("registry", "places"),
    [
        pytest.param("h.corp:5000", {}, id="other-port"),
        pytest.param("x.h.corp", {}, id="other-host"),
        pytest.param("h.corp", {"write_to": "https://other.corp"}, id="redirected-away"),
        pytest.param("h.corp", {"schemes": {"h.corp": "http"}}, id="no-tls"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_the_environment_logs_in_nowhere_else(registry: str, places: dict[str, object]) -> None:
    store = open_target(registry, logins=("h.corp:443",), **places)
    assert store._authorizer.describe("a/b") == "no credentials"


def test_a_helper_in_planner_yaml_goes_before_the_environment() -> None:
    config = Config(registries={"h.corp": RegistrySettings(credential_helper="none-such")})
    store = open_target("h.corp:443", config=config, logins=("h.corp:443",))
    assert "docker-credential-none-such" in error_of(store._authorizer.describe).message


def write_config(fake: FakeRegistry, upstream: FakeRegistry) -> None:
    Path("planner.yaml").write_text(
        "version: 1\nregistries:\n"
        f"  public.ecr.aws: {{endpoint: '{upstream.url}'}}\n"
        f"  '{fake.host}': {{endpoint: '{fake.url}'}}\n"
        "clusters: [{name: prod, spec: prod.yaml, images: [images.txt]}]\n",
        "utf-8",
    )


def test_a_saved_plan_logs_in_again_in_the_same_way(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeRegistry() as upstream, FakeRegistry(auth=Basic("me", "secret")) as fake:
        upstream.add_image("team/app", "v1", [b"layer"])
        write_spec("127.0.0.1", fake.host.rpartition(":")[2], authenticate="true")
        write_config(fake, upstream)
        login(home / ".docker", fake, password="outdated")
        monkeypatch.setenv("REGISTRY_USERNAME", "me")
        monkeypatch.setenv("REGISTRY_PASSWORD", "secret")
        assert main(["plan", "-o", "plan.json"]) == 0, capsys.readouterr().err
        saved = Path("plan.json").read_bytes()
        assert from_json(saved, "p").access.logins == (fake.host,)
        assert b"secret" not in saved
        Path("prod.yaml").unlink()  # the plan alone tells how
        monkeypatch.delenv("REGISTRY_PASSWORD")
        assert main(["apply", "plan.json"]) == 69
        monkeypatch.setenv("REGISTRY_PASSWORD", "secret")
        assert main(["apply", "plan.json"]) == 0, capsys.readouterr().err
        assert fake.tags("team/app") == ["v1"]


# Certificate authorities.


def test_a_spec_gives_an_authority_for_its_registry_alone(ca: str) -> None:
    given = collected(write_spec(caCertContent=block(ca))).authorities
    assert given == {"h.corp:443": (ca,)}
    places = {"authorities": given}
    assert open_target("h.corp:443", **places)._connection.base == "https://h.corp:443"
    stores = Stores(Places(authorities=given))
    assert stores.settings("h.corp", "https://h.corp").tls == Tls(ca_data=ca)
    assert stores.settings("x.corp", "https://x.corp").tls == Tls()
    assert stores.settings("h.corp:5000", "https://h.corp:5000").tls == Tls()


def test_planner_yaml_goes_before_the_spec(made: Certificates, ca: str) -> None:
    own = Tls(ca_file=str(made.server.certificate))
    config = Config(registries={"h.corp": RegistrySettings(tls=own)})
    stores = Stores(Places(config, authorities={"h.corp:443": (ca,)}))
    assert stores.settings("h.corp:443", "https://h.corp:443").tls == own


def test_an_identity_of_planner_yaml_goes_with_the_authority_of_the_spec(ca: str) -> None:
    own = Tls(cert_file="me.pem", key_file="me.key")
    config = Config(registries={"h.corp": RegistrySettings(tls=own)})
    stores = Stores(Places(config, authorities={"h.corp:443": (ca,)}))
    assert stores.settings("h.corp", "https://h.corp").tls == own._replace(ca_data=ca)


def test_what_is_not_to_be_verified_has_no_authority(ca: str) -> None:
    spec = write_spec(caCertContent=block(ca), insecureSkipVerify="true")
    assert collected(spec).authorities == {}


def test_two_specs_may_know_two_authorities(made: Certificates, ca: str) -> None:
    other = made.token.certificate.read_text("ascii")
    write_spec(caCertContent=block(ca))
    Path("prod.yaml").rename("first.yaml")
    given = collected("first.yaml", write_spec(caCertContent=block(other))).authorities
    assert given == {"h.corp:443": (ca, other)}
    context = tls_context(Tls(ca_data=authority_text(given["h.corp:443"])))
    trusted = context.get_ca_certs(binary_form=True)
    assert {PEM_cert_to_DER_cert(ca), PEM_cert_to_DER_cert(other)} <= set(trusted)


def test_a_key_beside_the_certificate_stays_out_of_the_plan(made: Certificates, ca: str) -> None:
    key = made.ca.key.read_text("ascii")
    given = collected(write_spec(caCertContent=block(key + ca))).authorities
    assert given == {"h.corp:443": (ca,)}


@pytest.mark.parametrize("text", ["no PEM", '"-----BEGIN CERTIFICATE-----"'])
def test_what_is_no_certificate_is_left_to_lint(text: str) -> None:
    assert collected(write_spec(caCertContent=text)).authorities == {}


def test_a_damaged_certificate_is_an_error_that_names_the_way_out() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with pytest.raises(RegistryError, match="that the specs give") as caught:
        tls_context(Tls(ca_data=pem))
    assert "tls.ca_file" in caught.value.hint


def test_the_environment_names_the_file_of_the_authority(
    made: Certificates, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = collected(write_spec()).authorities
    assert given == {"h.corp:443": (f"${VARIABLE}",)}
    assert authority_text(given["h.corp:443"]) == ""
    monkeypatch.setenv(VARIABLE, str(made.ca.certificate))
    assert authority_text(given["h.corp:443"]) == ca


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"", "holds no certificate"), (b"\xff", "not UTF-8")],
)
def test_a_file_that_cannot_be_used_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    path = folder / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(VARIABLE, str(path))
    error = error_of(lambda: authority_text((f"${VARIABLE}",)))
    assert message in error.message
    assert VARIABLE in error.message + error.hint


def test_a_certificate_is_taken_apart(made: Certificates) -> None:
    (pem,) = certificates(made.server.certificate.read_text("ascii"))
    found = decode(PEM_cert_to_DER_cert(pem))
    assert (found.subject, found.issuer) == ("CN=planner test server", "CN=planner test ca")
    assert found.names == ("127.0.0.1", "localhost")
    assert (found.not_after - found.not_before).days == 2


@pytest.mark.parametrize("data", [b"", b"0", b"0\x00", b"0\x82\xff\xff", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"certificate|unpack"):
        decode(data)
