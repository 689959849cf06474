"""From plan to verify on products in clouds and companies: fakes of their APIs, and a real registry that takes pushes to what
these have created alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from planner.core.refs import parse_image
from tests.fakes import artifactory, gar, nexus
from tests.fakes.artifactory import FakeArtifactory
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.ecr import ACCOUNT, HOST, REGION, FakeEcr
from tests.fakes.front import Front, Plane
from tests.fakes.gar import FakeGar
from tests.fakes.github import FakeGitHub
from tests.fakes.nexus import FakeNexus
from tests.real.story import Workplace, fill
from tests.support.registry_server import RegistryServer

IMAGES = (
    "docker.io/rancher/mirrored-pause:3.6",
    "docker.io/rancher/klipper-lb:v0.4.13",
    "docker.io/rancher/klipper-helm:v0.9.12-build20251215",
)
NAMES = sorted(f"hub/{parse_image(each).repository}" for each in IMAGES)
PAUSE = f"{HOST}/hub/rancher/mirrored-pause:3.6"


@pytest.fixture
def ecr() -> FakeEcr:
    return FakeEcr()


@pytest.fixture
def front(ecr: FakeEcr, registry: RegistryServer) -> Iterator[Front]:
    with Front(ecr, registry.url) as front:
        yield front


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, front: Front) -> Workplace:
    """A cluster whose nodes pull from ECR, and somebody who is logged in to both of its sides."""
    place = Workplace(tmp_path)
    said = f"product: ecr, api: '{front.url}'"
    lay_out(place, upstream, front, f"{HOST}/hub", said, ("AWS", f"{ACCOUNT}-auth-token"))
    return place


def lay_out(
    place: Workplace,
    upstream: RegistryServer,
    front: Front,
    target: str,
    said: str,
    login: tuple[str, str],
) -> None:
    """A cluster that finds Docker Hub's images below ``target``, which is a front with what planner.yaml ``said`` of it."""
    fill(upstream.url, map(parse_image, IMAGES))
    host, _, prefix = target.partition("/")
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['https://{host}']\n"
        f"    rewrite: {{'^(.*)$': '{prefix}/$1'}}\n",
    )
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write(
        "planner.yaml",
        f"version: 1\nregistries:\n  docker.io: {{endpoint: '{upstream.url}/docker.io'}}\n"
        f"  {host}: {{endpoint: '{front.url}', {said}}}\n"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    auth = dict(zip(("username", "password"), login, strict=True))
    place.write("home/.docker/config.json", json.dumps({"auths": {front.host: auth}}))


def planner(place: Workplace, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, with a login to AWS."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    return place.planner(*arguments, AWS_EC2_METADATA_DISABLED="true", **(keys | more))


def without_botocore(place: Workplace) -> dict[str, str]:
    """An environment in which importing botocore fails as if it were not installed."""
    text = 'raise ModuleNotFoundError("No module named botocore", name="botocore")\n'
    place.write("blocked/botocore/__init__.py", text)
    return {"PYTHONPATH": f"{place.folder}/blocked:{Path.cwd()}"}


def planned(place: Workplace, **more: str) -> dict[str, list[dict[str, str]]]:
    done = planner(place, "plan", "--format", "json", **more)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


def test_a_plan_names_each_repository_that_apply_creates_before_it_pushes(
    place: Workplace, ecr: FakeEcr, front: Front
) -> None:
    ecr.add(NAMES[0])
    namespaces = {each["name"]: each["op"] for each in planned(place)["namespaces"]}
    assert namespaces == {NAMES[0]: "same", NAMES[1]: "create", NAMES[2]: "create"}
    assert ecr.repositories == {NAMES[0]}
    assert front.count("POST|PUT|PATCH|DELETE", "^/v2/") == 0

    done = planner(place, "apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert ecr.repositories == set(NAMES)
    assert ecr.calls.count("CreateRepository") == 2
    assert planner(place, "plan", "--detailed-exitcode").returncode == 0
    assert planner(place, "verify", "--blobs").returncode == 0


def test_a_plan_shows_the_repositories_to_come(place: Workplace) -> None:
    shown = " ".join(planner(place, "plan").stdout.split())
    assert all(f"+ repository {each} " in shown for each in NAMES)


def test_without_botocore_the_plan_says_what_to_install_or_to_run(
    place: Workplace, ecr: FakeEcr
) -> None:
    namespaces = planned(place, **without_botocore(place))["namespaces"]
    assert {each["op"] for each in namespaces} == {"unknown"}
    commands = {each["command"] for each in namespaces}
    assert commands == {
        f"aws ecr create-repository --repository-name {each} --region {REGION}" for each in NAMES
    }
    assert all("pip install 'planner[ecr]'" in each["reason"] for each in namespaces)
    assert not ecr.calls


def test_a_tag_that_amazon_does_not_let_go_is_blocked_and_the_rest_is_not(
    place: Workplace, ecr: FakeEcr, upstream: RegistryServer
) -> None:
    ecr.add("hub/rancher/mirrored-pause", imageTagMutability="IMMUTABLE")
    assert planner(place, "apply", "--auto-approve").returncode == 0
    fill(upstream.url, [parse_image(each) for each in IMAGES], kib=8)
    changes = {each["target"]: each["op"] for each in planned(place)["changes"]}
    assert changes.pop(PAUSE) == "blocked"
    assert set(changes.values()) == {"move"}


def test_a_policy_without_the_right_to_create_names_the_command(
    place: Workplace, ecr: FakeEcr
) -> None:
    ecr.denied = {"CreateRepository"}
    done = planner(place, "apply", "--auto-approve")
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert f"aws ecr create-repository --repository-name {NAMES[0]} --region {REGION}" in said
    assert "wJalr" not in said


def test_a_template_that_creates_on_push_leaves_nothing_to_create(
    place: Workplace, ecr: FakeEcr
) -> None:
    ecr.templates = [{"prefix": "hub", "appliedFor": ["CREATE_ON_PUSH"]}]
    assert {each["op"] for each in planned(place)["namespaces"]} == {"same"}
    done = planner(place, "apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert ecr.calls.count("CreateRepository") == 0
    assert ecr.repositories == set(NAMES)


class Case(NamedTuple):
    """A product, the names below which images belong there, and what of them is its namespace."""

    plane: Callable[[], Plane]
    target: str
    namespace: str
    login: tuple[str, str]
    said: str
    headers: Mapping[str, str] = MappingProxyType({})


CASES = {
    "Google": Case(
        lambda: FakeGar(looks=1),
        f"{gar.HOST}/p/r",
        "p/r",
        ("oauth2accesstoken", "ya29.token"),
        "product: gar, api: '{url}'",
    ),
    "Artifactory": Case(
        lambda: FakeArtifactory({"admin": "secret"}),
        "artifactory.corp/docker-local",
        "docker-local",
        ("admin", "secret"),
        "parallelism: 4",
        artifactory.HEADERS,
    ),
    "Nexus": Case(
        lambda: FakeNexus({"admin": "secret"}),
        "nexus.corp/images",
        "images",
        ("admin", "secret"),
        "api: '{url}'",
        nexus.HEADERS,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_other_products_create_one_repository_for_all(
    tmp_path: Path, upstream: RegistryServer, registry: RegistryServer, case: Case
) -> None:
    place = Workplace(tmp_path)
    with Front(case.plane(), registry.url, case.headers) as front:
        said = case.said.format(url=front.url)
        lay_out(place, upstream, front, case.target, said, case.login)
        found = planned(place)["namespaces"]
        assert [(each["name"], each["op"]) for each in found] == [(case.namespace, "create")]
        done = planner(place, "apply", "--auto-approve")
        assert done.returncode == 0, done.stderr
        assert planner(place, "plan", "--detailed-exitcode").returncode == 0


@pytest.mark.parametrize(
    ("plane", "target", "product"),
    [
        pytest.param(FakeGitHub({"corp"}), "ghcr.io/crop", "ghcr", id="GitHub"),
        pytest.param(FakeDockerHub({"corp"}), "hub.corp/crop", "dockerhub", id="Docker Hub"),
    ],
)
def test_an_account_that_is_not_there_blocks_before_anything_is_pushed(
    tmp_path: Path, upstream: RegistryServer, plane: Plane, target: str, product: str
) -> None:
    place = Workplace(tmp_path)
    with Front(plane) as front:
        said = f"product: {product}, api: '{front.url}'"
        lay_out(place, upstream, front, target, said, ("me", ""))
        assert {each["op"] for each in planned(place)["changes"]} == {"blocked"}
        assert front.count("POST|PUT|PATCH|DELETE", "^/v2/") == 0
