"""Registries whose namespaces must exist first: their control planes in front of a real registry, from plan to verify."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from planner.core.refs import ImageRef, parse_image
from tests.fakes.front import Front, Plane
from tests.fakes.gitlab import FakeGitLab
from tests.fakes.harbor import ADMIN, FakeHarbor, Project
from tests.fakes.quay import OAUTH_USER, FakeQuay
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer

IMAGES = tuple(
    map(
        parse_image,
        ("docker.io/rancher/mirrored-pause:3.6", "docker.io/rancher/klipper-lb:v0.4.13"),
    )
)
PASSWORD = "secret"
ROBOT = "robot$apps+mirror"
USERS = {ADMIN: PASSWORD, "dev": PASSWORD, ROBOT: PASSWORD}


class Site:
    """A cluster whose nodes go to the front, and planner logged in there."""

    def __init__(self, place: Workplace, front: Front, registry: RegistryServer) -> None:
        self.place = place
        self.front = front
        self.registry = registry

    def log_in(self, user: str, password: str = PASSWORD) -> None:
        entry = {self.front.host: {"username": user, "password": password}}
        self.place.write("home/.docker/config.json", json.dumps({"auths": entry}))

    def writes(self) -> int:
        """How often the registry behind was asked to change something."""
        return sum(each.method in WRITES for each in self.registry.requests())


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer) -> Workplace:
    fill(upstream.url, IMAGES)
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{image}\n" for image in IMAGES))
    return place


@contextmanager
def site(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, plane: Plane, below: str
) -> Iterator[Site]:
    """Docker Hub's images of Rancher are below ``below`` on the registry behind ``plane``."""
    with Front(plane, registry.url) as front:
        rewrite = {"^rancher/(.*)": f"{below}/$1"}
        mirror = {"docker.io": {"endpoint": [front.url], "rewrite": rewrite}}
        place.write("registries.yaml", json.dumps({"mirrors": mirror}))
        place.write(
            "planner.yaml",
            f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
            "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
        )
        yield Site(place, front, registry)


def assert_created_filled_and_settled(site: Site, sign: str) -> None:
    """Plan shows ``sign`` (a pattern), apply does it, verify agrees, and then nothing is left to do."""
    planned = site.place.planner("plan", "--detailed-exitcode")
    assert planned.returncode == 2, planned.stderr
    assert re.search(sign, planned.stdout), planned.stdout
    assert site.writes() == 0
    applied = site.place.planner("apply", "--auto-approve")
    assert applied.returncode == 0, applied.stderr
    verified = site.place.planner("verify", "--blobs")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    again = site.place.planner("plan", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(site.registry.blob_digests_on_disk()) > 0


def assert_blocked(site: Site, *signs: str) -> None:
    """Plan says why and what an administrator types; apply fails, and neither writes anything."""
    planned = site.place.planner("plan", "--detailed-exitcode")
    for sign in signs:
        assert sign in planned.stdout, planned.stdout + planned.stderr
    applied = site.place.planner("apply", "--auto-approve")
    assert applied.returncode == 1, applied.stdout + applied.stderr
    assert site.writes() == 0


def test_harbor(place: Workplace, upstream: RegistryServer, registry: RegistryServer) -> None:
    plane = FakeHarbor(USERS)
    with site(place, upstream, registry, plane, "apps") as harbor:
        harbor.log_in("dev")
        assert_created_filled_and_settled(harbor, r"\+ +project apps")
    assert [each["project_name"] for each in plane.created] == ["apps"]


def test_harbor_with_a_robot_that_creates_no_projects(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeHarbor(USERS)
    with site(place, upstream, registry, plane, "new") as harbor:
        harbor.log_in(ROBOT)
        command = f"{harbor.front.url}/api/v2.0/projects"
        assert_blocked(
            harbor, "Harbor has no project 'new'", f"{ROBOT} is a project's robot", command
        )
        assert harbor.front.count("POST", "/api/") == 0


def test_harbor_with_a_robot_in_its_own_project(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeHarbor(USERS, {"apps": Project(robots=frozenset({ROBOT}))})
    with site(place, upstream, registry, plane, "apps") as harbor:
        harbor.log_in(ROBOT)
        assert_created_filled_and_settled(harbor, "klipper-lb")
        assert harbor.front.count("POST", "/api/") == 0


def test_harbor_with_a_proxy_cache(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeHarbor(USERS, {"hub": Project(proxy_of=1)})
    with site(place, upstream, registry, plane, "hub") as harbor:
        harbor.log_in(ADMIN)
        assert_blocked(harbor, "hub is a proxy cache, nothing can be pushed")


def test_harbor_with_a_full_quota(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeHarbor(USERS, {"apps": Project(roles={"dev": "admin"}, hard=100, used=90)})
    with site(place, upstream, registry, plane, "apps") as harbor:
        harbor.log_in("dev")
        assert_blocked(harbor, "the quota of project apps has 10 B left")


def test_harbor_with_immutable_tags(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    fill(registry.url, (ImageRef("apps", "klipper-lb", "v0.4.13"),), kib=32)
    already = set(registry.blob_digests_on_disk())
    selectors = {
        "scope_selectors": {"repository": [{"decoration": "repoMatches", "pattern": "**"}]},
        "tag_selectors": [{"decoration": "matches", "pattern": "v*"}],
    }
    project = Project(roles={"dev": "admin"}, rules=[selectors], frozen=frozenset({"v0.4.13"}))
    with site(place, upstream, registry, FakeHarbor(USERS, {"apps": project}), "apps") as harbor:
        harbor.log_in("dev")
        planned = place.planner("plan", "--detailed-exitcode")
        assert "1 to create" in planned.stdout
        assert "1 blocked" in planned.stdout
        applied = place.planner("apply", "--auto-approve")
        assert applied.returncode == 1, applied.stdout + applied.stderr
        assert already < set(registry.blob_digests_on_disk()), "the other image came through"
        assert harbor.front.count("PUT", "/klipper-lb/manifests/v") == 0


@pytest.mark.parametrize(
    ("project", "status", "words"),
    [
        pytest.param({"hard": 100, "used": 90}, 403, "upper limit of the project", id="quota"),
        pytest.param(
            {"frozen": frozenset({"3.6", "v0.4.13"})},
            412,
            "configured as immutable",
            id="immutable",
        ),
    ],
)
def test_harbor_refuses_what_a_robot_could_not_see(
    place: Workplace,
    upstream: RegistryServer,
    registry: RegistryServer,
    project: dict[str, Any],
    status: int,
    words: str,
) -> None:
    others = (image.repository.removeprefix("rancher/") for image in IMAGES)
    tags = (image.tag for image in IMAGES)
    fill(registry.url, map(ImageRef, ("apps", "apps"), others, tags), kib=32)
    plane = FakeHarbor(USERS, {"apps": Project(robots=frozenset({ROBOT}), **project)})
    with site(place, upstream, registry, plane, "apps") as harbor:
        harbor.log_in(ROBOT)
        applied = place.planner("apply", "--auto-approve")
        assert applied.returncode == 1, applied.stdout
        assert str(status) in applied.stderr
        assert words in applied.stderr


def test_harbor_refuses_a_robot_whose_rights_nobody_tells(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeHarbor({"robot$mirror": PASSWORD}, admin_only=True)
    with site(place, upstream, registry, plane, "new") as harbor:
        harbor.log_in("robot$mirror")
        applied = place.planner("apply", "--auto-approve")
        assert applied.returncode == 1, applied.stdout
        assert "Only system admin can create project" in applied.stderr
        assert "curl -fsS -u ADMIN" in applied.stderr
        assert harbor.writes() == 0


def test_quay_creates_nothing_while_planning(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeQuay({"me": PASSWORD}, {"apps": frozenset({"me"})}, namespaces_on_push=True)
    with site(place, upstream, registry, plane, "apps") as quay:
        quay.log_in("me")
        planned = place.planner("plan", "--detailed-exitcode")
        assert planned.returncode == 2, planned.stderr
        assert plane.created == []
        assert_created_filled_and_settled(quay, "klipper-lb")
    assert set(plane.created) == {
        f"repository apps/{each.repository.removeprefix('rancher/')}" for each in IMAGES
    }


def test_quay_with_an_oauth_token(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeQuay({OAUTH_USER: PASSWORD})
    with site(place, upstream, registry, plane, "apps") as quay:
        quay.log_in(OAUTH_USER)
        assert_created_filled_and_settled(quay, r"\+ +organization apps")
    assert plane.created[0] == "organization apps"


def test_quay_with_a_robot(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeQuay({"apps+mirror": PASSWORD}, namespaces_on_push=True)
    with site(place, upstream, registry, plane, "new") as quay:
        quay.log_in("apps+mirror")
        assert_blocked(
            quay,
            "Quay has no organization 'new'",
            "robot apps+mirror cannot create one",
            "/api/v1/organization/",
        )
    assert plane.created == []


def test_gitlab(place: Workplace, upstream: RegistryServer, registry: RegistryServer) -> None:
    plane = FakeGitLab({"me": PASSWORD}, {"ops": 1})
    with site(place, upstream, registry, plane, "ops/mirror/rancher") as gitlab:
        gitlab.log_in("me")
        assert_created_filled_and_settled(gitlab, r"\+ +project ops/mirror")
    assert [each["path"] for each in plane.created] == ["mirror"]


def test_gitlab_without_the_group(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    plane = FakeGitLab({"me": PASSWORD})
    with site(place, upstream, registry, plane, "ops/mirror") as gitlab:
        gitlab.log_in("me")
        assert_blocked(gitlab, "there is no group ops that this login may see")
    assert plane.created == []
