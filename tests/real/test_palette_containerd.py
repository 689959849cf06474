"""A node of Palette: containerd with the rendered ``config.toml``, which must ask what planner says it asks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from planner.core.family import NodeFlags
from planner.core.reader import read
from planner.core.refs import parse_image
from planner.specs.palette.nodes import render, resolve
from tests.real.story import Workplace, endpoints, fill
from tests.support.conformance import Case, cases
from tests.support.cri_server import CriServer
from tests.support.programs import require
from tests.support.registry_server import RegistryServer

CONFIG = "containerd/config.toml"
NGINX = parse_image("docker.io/library/nginx:1.27")
CONTROLLER = parse_image("quay.io/jetstack/cert-manager-controller:v1.19.3")


def secret(mirrors: str, endpoint: str = "harbor.example.org", **fields: str) -> str:
    given = {
        "DOMAIN": endpoint,
        "BASE_PATH": "p",
        "INSECURE": "false",
        "MIRROR_REGISTRIES": mirrors,
    }
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-info"}}
    return json.dumps(head | {"stringData": given | fields})


def config_of(text: str) -> str:
    return render(read("secret.yaml", text), NodeFlags())[CONFIG]


@pytest.mark.parametrize(
    "case", cases("palette_swap", lambda case: case["mode"] == "palette-containerd")
)
def test_containerd_asks_for_the_urls_of_the_case(case: Case) -> None:
    with CriServer(config_of(secret(case["map"]))) as node:
        assert node.pull(case["image"])
        asked = (
            node.failed_requests()
        )  # of an image by its digest, the same among the blobs after that
        assert [each for each in asked if "/manifests/" in each] == case["urls"]


@pytest.mark.parametrize(
    ("mirrors", "image"),
    [
        pytest.param("docker.io::localhost/v2/m", "nginx", id="loopback-without-a-port"),
        pytest.param("docker.io::127.0.0.1:443", "nginx", id="loopback-with-the-port-of-tls"),
        pytest.param("docker.io::registry-1.docker.io/v2/x", "nginx", id="the-host-of-the-api"),
        pytest.param("docker.io::docker.io/v2/x", "nginx", id="the-host-of-the-name"),
        pytest.param("docker.io::harbor.example.org/", "nginx", id="a-slash-and-nothing"),
        pytest.param("docker.io::https://u:p@harbor.example.org/v2/m/", "a/b:1", id="credentials"),
        pytest.param("docker.io::harbor.example.org//p", "index.docker.io/nginx", id="two-slashes"),
        pytest.param("localhost:1::harbor.example.org/v2", "localhost:1/a/b:1", id="a-port"),
        pytest.param("*::harbor.example.org/v2/all", "harbor.example.org/all/a:1", id="its-own"),
        pytest.param("quay.io::a b/c", "quay.io/a:1", id="no-url"),
        pytest.param("quay.io::h:port/c", "quay.io/a:1", id="no-port"),
        pytest.param("", "localhost/a:1", id="no-mirrors"),
    ],
)
def test_containerd_asks_as_resolve_says(mirrors: str, image: str) -> None:
    text = secret(mirrors)
    expected = resolve(read("secret.yaml", text), image, NodeFlags())
    with CriServer(config_of(text)) as node:
        assert node.pull(image)
        assert node.failed_requests() == [each.url for each in expected.attempts]


@pytest.mark.parametrize("form", ["harbor.example.org/p", "harbor.example.org/v2/p"])
def test_containerd_takes_the_file_with_everything_in_it(tmp_path: Path, form: str) -> None:
    fields = {"USERNAME": "me", "PASSWORD": "secret", "INSECURE": "true"}
    (tmp_path / "config.toml").write_text(config_of(secret(f"quay.io::{form}", **fields)))
    command = (require("containerd"), "--config", tmp_path / "config.toml", "config", "dump")
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f'endpoint = ["{form}"]' in dumped
    assert "insecure_skip_verify = true" in dumped


def test_containerd_pulls_what_apply_brought(
    tmp_path: Path, upstream: RegistryServer, registry: RegistryServer
) -> None:
    """By the Secret, for the nodes; the pods' names are those that the webhook makes by the values."""
    fill(upstream.url, [NGINX, CONTROLLER])
    place = Workplace(tmp_path)
    place.write("planner.yaml", f"version: 1\n{endpoints(upstream.url, ['docker.io', 'quay.io'])}")
    place.write("images.txt", f"{NGINX}\n{CONTROLLER}\n")
    hosts = ("docker.io", "quay.io")
    listed = {
        api: ",".join(f"{host}::{registry.host}{api}/p/{host}" for host in hosts)
        for api in ("", "/v2")
    }
    place.write("secret.yaml", secret(listed["/v2"], registry.host))
    block = {"endpoint": registry.host, "baseContentPath": "p", "mirrorRegistries": listed[""]}
    place.write("values.yaml", json.dumps({"config": {"ociImageRegistry": block}}))
    done = place.planner(
        "apply", "values.yaml", "secret.yaml", "--images", "images.txt", "--auto-approve"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.planner("render", "secret.yaml", "-o", "node").returncode == 0

    with CriServer((place.folder / "node" / CONFIG).read_text("utf-8")) as node:
        mark = registry.mark()
        assert not node.pull("nginx:1.27")
        asked = [each.path for each in registry.requests_since(mark) if each.method == "HEAD"]
        assert asked == ["/v2/p/docker.io/library/nginx/manifests/1.27?ns=docker.io"]
        assert not node.pull(str(CONTROLLER))
        assert not node.pull(f"{registry.host}/p/docker.io/nginx:1.27")  # as the webhook has it


def test_containerd_finds_nothing_behind_a_path_without_v2(
    tmp_path: Path, registry: RegistryServer
) -> None:
    """The documented form: the images are there, and verify says that nodes pass them by."""
    fill(f"{registry.url}/p", [NGINX])
    place = Workplace(tmp_path)
    place.write("images.txt", f"{NGINX}\n")
    spec = place.write(
        "secret.yaml", secret(f"docker.io::{registry.host}/p/docker.io", registry.host)
    )
    verified = place.planner("verify", "secret.yaml", "--images", "images.txt")
    assert (verified.returncode, "is no registry URL" in verified.stdout) == (1, True)
    with CriServer(config_of(spec.read_text("utf-8"))) as node:
        assert node.pull("nginx:1.27")
        assert node.failed_requests() == [
            "https://registry-1.docker.io/v2/library/nginx/manifests/1.27"
        ]
    assert {(each.path, each.status) for each in registry.requests()} >= {
        ("/p/docker.io/library/nginx/manifests/1.27?ns=docker.io", 404)
    }
