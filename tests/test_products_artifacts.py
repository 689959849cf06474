"""Artifactory and Nexus: which repository a name leads to, and what that takes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from planner.core.namespaces import MISSING, THERE, Freeze, Standing
from planner.stores.products.artifactory import Artifactory
from planner.stores.products.nexus import Nexus
from tests.fakes import artifactory as fake_artifactory
from tests.fakes import nexus as fake_nexus
from tests.fakes.artifactory import FakeArtifactory
from tests.fakes.front import Front
from tests.fakes.nexus import FakeNexus
from tests.making import error_of
from tests.sites import PASSWORD, site_of

USERS = dict.fromkeys(("admin", "dev"), PASSWORD)
LOCAL = {"rclass": "local", "packageType": "docker"}


@contextmanager
def artifactory(plane: FakeArtifactory, user: str = "dev") -> Iterator[Artifactory]:
    with Front(plane, headers=fake_artifactory.HEADERS) as front:
        yield Artifactory(site_of(front, user))


@pytest.mark.parametrize(
    ("settings", "standing"),
    [
        pytest.param(LOCAL, THERE, id="local"),
        pytest.param(LOCAL | {"packageType": "oci"}, THERE, id="OCI"),
        pytest.param(
            LOCAL | {"rclass": "remote"},
            Standing("there", "it is a remote repository, which takes no pushes"),
            id="remote",
        ),
        pytest.param(LOCAL | {"rclass": "virtual"}, THERE, id="virtual"),
        pytest.param(
            LOCAL | {"rclass": "virtual", "defaultDeploymentRepo": ""},
            Standing("there", "it is a virtual repository without one to deploy to"),
            id="virtual for reading",
        ),
        pytest.param(
            LOCAL | {"packageType": "maven"},
            Standing("there", "it holds maven, not images"),
            id="Maven",
        ),
    ],
)
def test_the_key_of_artifactory_is_the_first_component(
    settings: dict[str, str], standing: Standing
) -> None:
    with artifactory(FakeArtifactory(USERS, {"docker": settings})) as product:
        assert product.namespace("docker/a/b") == "docker"
        assert product.standings(("docker", "other")) == {"docker": standing, "other": MISSING}


def test_artifactory_wants_an_image_below_the_key() -> None:
    with artifactory(FakeArtifactory(USERS)) as product:
        assert not product.complaint("docker/a")
        assert "api" in product.complaint("pause")


def test_artifactory_is_created_in_by_administrators() -> None:
    plane = FakeArtifactory(USERS)
    with artifactory(plane) as product:
        error = error_of(lambda: product.create("docker"))
        command = product.administrators_command("docker")
    assert "admin privileges" in error.message
    assert error.hint.endswith(command)
    assert shlex.split(command)[-1].endswith("/artifactory/api/repositories/docker")
    assert PASSWORD not in command
    with artifactory(plane, "admin") as product:
        product.create("docker")
        product.create("docker")
    assert plane.repositories["docker"]["rclass"] == "local"


def test_artifactory_tells_strangers_nothing() -> None:
    with artifactory(FakeArtifactory(USERS), "") as product:
        found = product.standings(("docker",))["docker"]
    assert found.state == "unknown"
    assert "401" in found.obstacle


def test_a_host_that_is_named_after_its_key_creates_nothing_below_it() -> None:
    """``127`` stands for the first label of ``docker-local.corp``."""
    with artifactory(FakeArtifactory(USERS, {"127": LOCAL})) as product:
        assert product.standings(("rancher",))["rancher"].state == "unknown"


def test_an_api_on_another_host_says_that_the_key_is_in_no_name() -> None:
    plane = FakeArtifactory(USERS)
    with Front(plane) as front, Front(plane) as main:
        product = Artifactory(site_of(front, "admin", api=f"{main.url}/artifactory"))
        namespace = product.namespace("rancher/pause")
        assert (namespace, product.complaint("pause")) == (front.host, "")
        assert product.standings((namespace,))[namespace].state == "unknown"
        assert not main.requests


@contextmanager
def nexus(plane: FakeNexus, user: str = "admin", *, apart: bool = False) -> Iterator[Nexus]:
    """One that is asked at the registry's own address, or at its main port."""
    with Front(plane, headers=fake_nexus.HEADERS) as front, Front(plane) as main:
        yield Nexus(site_of(front, user, api=main.url if apart else front.url))


def hosted(**more: Any) -> dict[str, Any]:
    return {"format": "docker", "type": "hosted", "storage": {"writePolicy": "ALLOW"}} | more


def test_nexus_without_an_address_is_a_plain_registry() -> None:
    with Front(FakeNexus(USERS)) as front:
        product = Nexus(site_of(front, "admin"))
        assert (product.word, product.namespace("a/b"), product.complaint("a")) == ("", "", "")


@pytest.mark.parametrize(
    ("settings", "standing"),
    [
        pytest.param(hosted(), THERE, id="hosted"),
        pytest.param(
            hosted(storage={"writePolicy": "ALLOW_ONCE"}),
            Standing("there", "", (Freeze(),)),
            id="once",
        ),
        pytest.param(
            hosted(storage={"writePolicy": "allow_once", "latestPolicy": True}),
            Standing("there", "", (Freeze(tags="latest", except_tags=True),)),
            id="once, but for latest",
        ),
        pytest.param(
            hosted(storage={"writePolicy": "DENY"}),
            Standing("there", "images is read-only"),
            id="read-only",
        ),
        pytest.param(
            hosted(type="proxy"),
            Standing("there", "images is a proxy repository, which takes no pushes"),
            id="proxy",
        ),
        pytest.param(
            hosted(type="group", group={"memberNames": ["a"]}),
            Standing("there", "images is a group without a member that takes pushes"),
            id="group",
        ),
        pytest.param(hosted(type="group", group={"writableMember": "a"}), THERE, id="group of Pro"),
    ],
)
def test_nexus_by_path_has_the_repository_first(
    settings: dict[str, Any], standing: Standing
) -> None:
    with nexus(FakeNexus(USERS, {"images": settings})) as product:
        assert product.namespace("images/a/b") == "images"
        assert product.complaint("images")
        assert product.standings(("images", "other")) == {"images": standing, "other": MISSING}


def test_nexus_by_path_creates_a_hosted_repository() -> None:
    plane = FakeNexus(USERS)
    with nexus(plane) as product:
        product.create("images")
        product.create("images")
        assert shlex.split(product.administrators_command("images"))[:3] == ["curl", "-fsS", "-u"]
    assert plane.repositories["images"]["docker"]["pathEnabled"] is True


def test_nexus_tells_administrators_alone() -> None:
    with nexus(FakeNexus(USERS), "dev") as product:
        found = product.standings(("images",))["images"]
        error = error_of(lambda: product.create("images"))
    assert found.state == "unknown"
    assert "403" in found.obstacle
    assert "-d" in error.hint


def test_a_connector_of_nexus_is_found_by_its_port() -> None:
    plane = FakeNexus(USERS)
    with Front(plane) as front, Front(plane) as main:
        port = int(front.host.partition(":")[2])
        plane.repositories |= {
            "proxy": hosted(type="proxy", docker={"httpPort": port}),
            "other": hosted(docker={"httpPort": 1}),
            "maven": {"format": "maven2", "type": "hosted"},
        }
        product = Nexus(site_of(front, "admin", api=main.url))
        namespace = product.namespace("a/b")
        found = product.standings((namespace,))[namespace]
        plane.repositories["other"]["docker"] = {"subdomain": "127"}  # the first label of the host
        assert product.standings((namespace,))[namespace].state == "unknown"
        assert (product.word, product.administrators_command(namespace)) == ("connector", "")
    assert found == Standing("there", "proxy is a proxy repository, which takes no pushes")


def test_a_connector_behind_a_proxy_is_not_known() -> None:
    with nexus(FakeNexus(USERS, {"images": hosted()}), apart=True) as product:
        namespace = product.namespace("a/b")
        assert product.standings((namespace,))[namespace].state == "unknown"
