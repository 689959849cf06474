"""The same mirror map in another system's words: what is written means the same, or a loss says what does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.core.document import Spec
from planner.core.family import Family, NodeFlags
from planner.core.lint import Finding, Severity, lint
from planner.core.mirror_map import Loss, Written
from planner.core.reader import read
from planner.specs import NAMES, family_named
from planner.ui.cli import main
from planner.ui.commands.convert import document_text

EXAMPLES = Path(__file__).parents[1] / "examples"
SOURCES = ("docker.io", "quay.io", "registry.k8s.io", "public.ecr.aws")
HOSTS = ("registry.corp:5000", "mirror.example.org")
SECRET = "not-a-real-password"
KUBEONE = """\
apiVersion: kubeone.k8c.io/v1beta2
kind: KubeOneCluster
name: prod
versions: {kubernetes: 1.35.2}
cloudProvider: {aws: {}}
controlPlane: {hosts: [{publicAddress: 203.0.113.11, privateAddress: 10.0.1.11, sshUsername: ubuntu}]}
apiEndpoint: {host: api.prod.corp}
"""
EKSA = """\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: DockerDatacenterConfig
metadata: {name: prod}
spec: {}
---
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Cluster
metadata: {name: prod}
spec:
  kubernetesVersion: "1.33"
  controlPlaneConfiguration: {count: 1}
  workerNodeGroupConfigurations: [{name: general, count: 1}]
  datacenterRef: {kind: DockerDatacenterConfig, name: prod}
  clusterNetwork:
    cniConfig: {cilium: {}}
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  managementCluster: {name: prod}
"""
SECRET_HEAD = """\
apiVersion: v1
kind: Secret
metadata: {name: registry-info, namespace: jet-system}
type: Opaque
"""


def family(name: str) -> Family:
    found = family_named(name)
    assert found
    return found


def spec_of(kind: str, text: str) -> Spec:
    """A block put into a whole spec of its kind, as somebody would paste it."""
    name = {"k3s": "registries.yaml"}.get(kind, f"{kind}.yaml")
    if kind == "kubeone" and "apiVersion" not in text:
        text = KUBEONE + text
    if kind == "eksa" and "apiVersion" not in text:
        text = EKSA + re.sub(r"^(#.*|spec:|\{\})\n", "", text, flags=re.MULTILINE)
    return family(kind).as_read(read(name, text))


def convert(kind: str, text: str, to: str) -> tuple[Spec, Written]:
    source = spec_of(kind, text)
    written = family(to).images().write_map(family(kind).images().read_map(source))
    return spec_of(to, document_text(source, family(to), written)), written


def first_place(kind: str, spec: Spec, image: str) -> tuple[str, str, str]:
    """Scheme, host and path of what a node asks first, the port left out where it goes without saying."""
    first = family(kind).images().resolve(spec, image, NodeFlags()).first
    assert first
    parts = urlsplit(first.url)
    port = ":443" if parts.scheme == "https" else ":80"
    return parts.scheme, parts.netloc.removesuffix(port), parts.path


def findings(kind: str, spec: Spec) -> list[Finding]:
    layers = family(kind).layers(spec)
    return [
        each
        for each in lint(spec, layers, family(kind).rules)
        if each.severity is not Severity.INFO
    ]


def about(losses: tuple[Loss, ...]) -> set[str]:
    return {each.about for each in losses}


@st.composite
def maps(draw: st.DrawFn) -> dict[str, list[str]]:
    """For each of some registries, the URLs of its mirrors: API roots, each with a folder of its own."""
    names = draw(st.lists(st.sampled_from((*SOURCES, "*")), min_size=1, unique=True))
    schemes = st.sampled_from(["https", "https", "https", "http"])
    found = {}
    for name in names:
        hosts = draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2, unique=True))
        folder = f"cache/{name.replace('*', 'all')}"
        found[name] = [f"{draw(schemes)}://{host}/v2/{folder}" for host in hosts]
    return found


@st.composite
def specs(draw: st.DrawFn, kind: str) -> tuple[str, list[str]]:
    """A spec of a kind, and the registries that it names."""
    wanted = draw(maps())
    skips = draw(st.booleans())
    if kind == "k3s":
        mirrors: dict[str, object] = {
            name: {"endpoint": [url.replace("/v2/", "/v2/cut/") for url in urls]}
            if draw(st.booleans())
            else {"endpoint": urls, "rewrite": {"^(.*)$": "more/$1"}}
            for name, urls in wanted.items()
        }
        if draw(st.booleans()):
            mirrors["gcr.io"] = {
                "endpoint": [f"https://{HOSTS[0]}"],
                "rewrite": {"^some/(.*)$": "x/$1"},
            }
        configs = {HOSTS[0]: {"tls": {"insecure_skip_verify": True}}} if skips else {}
        return json.dumps({"mirrors": mirrors, "configs": configs}), list(mirrors)
    if kind == "kubeone":
        tls = {"tlsConfig": {"insecureSkipVerify": True}} if skips else {}
        blocks = {
            name: {"mirrors": sorted(urls), "overridePath": True, **tls}
            for name, urls in wanted.items()
        }
        runtime = {"containerd": {"registries": blocks}}
        return f"containerRuntime: {json.dumps(runtime)}\n", list(wanted)
    names = [name for name in wanted if name != "*"] or ["quay.io"]
    if kind == "eksa":
        listed = [{"registry": each, "namespace": f"cache/{each}"} for each in names]
        block = {
            "endpoint": "mirror.example.org",
            "insecureSkipVerify": skips,
            "ociNamespaces": listed,
        }
        return f"  registryMirrorConfiguration: {json.dumps(block)}\n", names
    if kind == "palette" and draw(st.booleans()):
        pairs = ",".join(
            f"{each}::{HOSTS[0]}/v2/cache/{each.replace('*', 'all')}" for each in wanted
        )
        data = {"DOMAIN": HOSTS[0], "BASE_PATH": "cache", "INSECURE": "false"}
        return f"{SECRET_HEAD}stringData: {json.dumps(data | {'MIRROR_REGISTRIES': pairs})}\n", [
            *wanted
        ]
    lines = [f"{each}::{HOSTS[0]}/cache/{each}" for each in names]
    if kind == "palette":
        registry = {
            "endpoint": HOSTS[0],
            "baseContentPath": "cache",
            "mirrorRegistries": ",".join(lines),
        }
        return json.dumps({"config": {"ociImageRegistry": registry}}), names
    default = f"default::{HOSTS[0]}/cache/all" if "*" in wanted else "default::"
    own = [f"{HOSTS[0]}::"] if "*" in wanted else []
    return "\n".join([default, *own, *lines]), [*names, *(["*"] if "*" in wanted else [])]


@pytest.mark.parametrize("to", NAMES)
@pytest.mark.parametrize("kind", NAMES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_nodes_ask_the_same_place_first_unless_a_loss_names_the_registry(
    kind: str, to: str, data: st.DataObject
) -> None:
    text, names = data.draw(specs(kind))
    source = spec_of(kind, text)
    target, written = convert(kind, text, to)
    lost = about(written.losses)
    for name in {*names, *SOURCES, *HOSTS} - lost:
        if name != "*" and name not in names and "*" in lost:
            continue
        image = f"{'ghcr.io' if name == '*' else name}/some/app:1"
        assert first_place(kind, source, image) == first_place(to, target, image), image


ALLOWED = {
    "EKS074": "public.ecr.aws, which is not mirrored",
    "PAL059": "as well, which are not mirrored",
    "PAL008": "requires a baseContentPath",
}
UNVERIFIED = {"PAL026"}


@pytest.mark.parametrize("to", NAMES)
@pytest.mark.parametrize("kind", NAMES)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_what_is_written_lints_clean_but_for_what_is_left_by_hand(
    kind: str, to: str, data: st.DataObject
) -> None:
    text, _ = data.draw(specs(kind))
    target, written = convert(kind, text, to)
    if not written.document:
        return
    skips = re.search('insecure_?skip_?verify": true', text, re.IGNORECASE)
    known = {each.code for each in findings(kind, spec_of(kind, text))}  # told of the source, too
    for each in findings(to, target):
        said = ALLOWED.get(each.code)
        is_said = said and any(said in loss.text and loss.by_hand for loss in written.losses)
        assert is_said or each.code in known or (skips and each.code in UNVERIFIED), each


@pytest.mark.parametrize("to", NAMES)
def test_no_secret_is_copied_and_each_is_left_to_be_added(to: str) -> None:
    auth = {"username": "robot", "password": SECRET}
    for kind, text in {
        "k3s": json.dumps(
            {
                "mirrors": {"quay.io": {"endpoint": [f"https://{HOSTS[0]}/v2/quay"]}},
                "configs": {HOSTS[0]: {"auth": auth}},
            }
        ),
        "kubeone": "containerRuntime: "
        + json.dumps(
            {
                "containerd": {
                    "registries": {"quay.io": {"mirrors": [f"https://{HOSTS[0]}"], "auth": auth}}
                }
            }
        )
        + "\n",
        "palette": "config: {ociImageRegistry: {endpoint: 'registry.corp:5000', username: robot, "
        f"password: {SECRET}, mirrorRegistries: 'quay.io::registry.corp:5000/quay'}}}}\n",
    }.items():
        source = spec_of(kind, text)
        target, written = convert(kind, text, to)
        assert SECRET not in target.text
        assert "robot" not in target.text
        (loss,) = (each for each in written.losses if "credentials" in each.text)
        assert (loss.about, loss.by_hand) == (HOSTS[0], True)
        assert SECRET not in document_text(source, family(to), written)


@pytest.mark.parametrize(
    ("text", "to", "said"),
    [
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://a.corp"], rewrite: {"^x/(.*)$": "y/$1"}}}}',
            "kubeone",
            "cannot rewrite names by patterns",
            id="patterns",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://b.corp", "https://a.corp"]}}}',
            "kubeone",
            "alphabetical order: nodes ask https://a.corp/v2 first",
            id="order",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://b.corp", "https://a.corp"]}}}',
            "eksa",
            "knows one place for a registry: https://a.corp is not asked",
            id="further places",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://a.corp/api/x/v2"]}}}',
            "eksa",
            "cannot ask https://a.corp/api/x/v2",
            id="another API",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["http://a.corp"]}}}',
            "palette",
            "by https, before it was plain http",
            id="plain http",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://registry:5000"]}}}',
            "imageswap-map",
            "takes registry:5000 for a folder of Docker Hub",
            id="host without a dot",
        ),
        pytest.param(
            '{mirrors: {"https://quay.io": {endpoint: ["https://a.corp"]}}}',
            "kubeone",
            "no image is of a registry with this name",
            id="name that never applies",
        ),
        pytest.param(
            '{mirrors: {quay.io: {endpoint: ["https://a.corp"]}}, '
            "configs: {a.corp: {tls: {cert_file: /a, key_file: /b}}}}",
            "kubeone",
            "no client certificate",
            id="client certificate",
        ),
    ],
)
def test_what_a_dialect_cannot_say_is_told(text: str, to: str, said: str) -> None:
    _, written = convert("k3s", text, to)
    (loss,) = (each for each in written.losses if said in each.text)
    assert not loss.by_hand


def test_what_k3s_says_is_all_said_again_in_its_own_words() -> None:
    text = """\
mirrors:
  "*":
    endpoint:
      - https://a.corp/v2/all
  quay.io:
    endpoint:
      - http://b.corp:8080
      - https://a.corp/api/x/v2
    rewrite:
      ^x/(.*)$: y/$1
      ^z/(.*)$: w/$1
configs:
  a.corp:
    tls:
      ca_file: /etc/ssl/a.pem
      cert_file: /etc/ssl/a.crt
      key_file: /etc/ssl/a.key
"""
    target, written = convert("k3s", text, "k3s")
    assert target.text.endswith(f"\n{text}")
    assert not written.losses


def test_a_wildcard_leaves_docker_hub_to_itself_where_kubeone_does() -> None:
    """KubeOne writes a file for docker.io, so ``*`` does not hold for it; K3s has no word for that."""
    text = 'containerRuntime: {containerd: {registries: {"*": {mirrors: [https://a.corp]}}}}\n'
    _, written = convert("kubeone", text, "k3s")
    assert about(written.losses) == {"docker.io"}
    target, written = convert("kubeone", text, "imageswap-map")
    assert about(written.losses) == {""}
    assert "docker.io::\n" in target.text
    text = '{mirrors: {"*": {endpoint: ["https://a.corp"]}}}'
    target, written = convert("k3s", text, "kubeone")
    assert not written.losses
    assert first_place("kubeone", target, "docker.io/some/app:1")[1] == "a.corp"


def test_what_is_exempt_from_a_wildcard_stays_so_with_its_settings() -> None:
    text = """\
mirrors: {"*": {endpoint: ["https://a.corp/v2/all"]}}
configs:
  ghcr.io: {auth: {username: robot, password: not-a-real-password}}
  b.corp: {tls: {insecure_skip_verify: true}}
"""
    target, written = convert("k3s", text, "kubeone")
    assert about(written.losses) == {"ghcr.io"}
    own = family("kubeone").images()
    for image in ("ghcr.io/some/app:1", "b.corp/some/app:1"):
        assert image.startswith(first_place("kubeone", target, image)[1])
    first = own.resolve(target, "b.corp/some/app:1", NodeFlags()).first
    assert first
    assert first.skip_verify
    _, written = convert("k3s", text, "k3s")
    assert all(each.by_hand for each in written.losses)


def test_official_images_keep_their_place_by_their_short_names() -> None:
    text = '{mirrors: {docker.io: {endpoint: ["https://a.corp/v2/hub"]}}}'
    target, _ = convert("k3s", text, "imageswap-map")
    assert first_place("imageswap-map", target, "nginx:1")[2] == "/v2/hub/library/nginx/manifests/1"
    _, written = convert("k3s", text, "palette")
    assert "docker.io" in about(written.losses)


def test_the_webhook_does_not_rename_what_it_has_renamed() -> None:
    text = '{mirrors: {"*": {endpoint: ["https://a.corp/v2/all"]}}}'
    target, _ = convert("k3s", text, "imageswap-map")
    image = "a.corp/all/some/app:1"
    assert not family("imageswap-map").images().resolve(target, image, NodeFlags()).rewrites


def test_certificates_travel_as_text_and_never_as_guesses() -> None:
    text = (EXAMPLES / "eksa/vsphere.yaml").read_text("utf-8")
    target, written = convert("eksa", text, "palette")
    assert target.root.get("config", "ociImageRegistry", "caCert").string() in text.replace(
        "\n      ", "\n"
    )
    _, written = convert("eksa", text, "k3s")
    assert [each.text for each in written.losses if each.by_hand] == [
        "the certificate authority has to be in /etc/ssl/certs/registry.example.com.pem on each node"
    ]


def test_texts_that_go_would_read_otherwise_are_quoted() -> None:
    text = '{mirrors: {quay.io: {endpoint: ["https://a.corp/v2/no"]}}}'
    target, _ = convert("k3s", text, "eksa")
    (entry,) = (
        target.document("Cluster")
        .get("spec", "registryMirrorConfiguration")
        .get("ociNamespaces")
        .items
    )
    assert entry.get("namespace").value == "no"


@pytest.mark.parametrize("to", NAMES)
@pytest.mark.parametrize(
    "file",
    sorted(EXAMPLES.glob("*/**/mistakes*/*.yaml")) + sorted(EXAMPLES.glob("*/mistakes.yaml")),
    ids=str,
)
def test_specs_with_mistakes_are_converted_as_their_systems_read_them(
    file: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(file), "--to", to]) in (0, 1)
    assert capsys.readouterr().out.startswith("# The mirror map of")


def test_the_command_writes_a_file_says_what_is_lost_and_fails_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, out = str(EXAMPLES / "k3s/registries.yaml"), tmp_path / "block.yaml"
    assert main(["convert", spec, "--to", "kubeone", "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert not said.out
    assert "by hand: registry.corp:5000: KubeOne gives containerd no certificate" in said.err
    assert out.read_text("utf-8").startswith("# The mirror map of")
    assert main(["convert", spec, "--to", "palette"]) == 1
    said = capsys.readouterr()
    assert "not the same: docker.io: " in said.err
    assert "things could not be expressed" in said.err


def test_the_spec_itself_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, link = tmp_path / "registries.yaml", tmp_path / "link.yaml"
    spec.write_text("mirrors: {quay.io: {endpoint: [https://a.corp]}}\n", "utf-8")
    link.symlink_to(spec)
    before = spec.read_bytes()
    assert main(["convert", str(spec), "--to", "k3s", "-o", str(link)]) == 64
    assert "is the spec itself" in capsys.readouterr().err
    assert spec.read_bytes() == before


def test_what_a_spec_says_cannot_leave_the_comments(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = tmp_path / "registries.yaml"
    spec.write_text(
        '{mirrors: {"evil\\nmirrors: {}\\u2028\\u001b[2J": {endpoint: ["https://a.corp"]}}}',
        "utf-8",
    )
    assert main(["convert", str(spec), "--to", "k3s"]) == 1
    out = capsys.readouterr().out
    assert all(line.startswith("#") for line in out.splitlines())
    assert "\x1b" not in out


@pytest.mark.parametrize("to", NAMES)
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("k3s", '{mirrors: {"robot:hidden@quay.io": {endpoint: ["https://robot:hidden@a.corp"]}}}'),
        ("k3s", '{mirrors: {quay.io: {endpoint: ["https://robot:hidden@a.corp/quay"]}}}'),
        (
            "kubeone",
            "containerRuntime: {containerd: {registries: {quay.io: {mirrors: "
            '["robot:hidden@a.corp"], tlsConfig: {insecureSkipVerify: true}}}}}\n',
        ),
        (
            "eksa",
            "  registryMirrorConfiguration: {endpoint: robot:hidden@a.corp, authenticate: true}\n",
        ),
        (
            "palette",
            "config: {ociImageRegistry: {endpoint: 'robot:hidden@a.corp', username: a, "
            "mirrorRegistries: 'quay.io::robot:hidden@a.corp/quay'}}\n",
        ),
        ("imageswap-map", "default::\nquay.io::robot:hidden@a.corp/quay\n"),
    ],
)
def test_a_password_in_an_address_is_not_shown(
    kind: str, text: str, to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "spec"
    file.write_text(spec_of(kind, text).text, "utf-8")
    assert main(["convert", str(file), "--kind", kind, "--to", to]) in (0, 1)
    said = capsys.readouterr()
    assert "hidden" not in said.out + said.err


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(EXAMPLES / "k3s/registries.yaml"), "--to", "helm"]) == 64
    assert "there is no such kind" in capsys.readouterr().err
