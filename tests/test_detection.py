"""Which product a registry is, by its host and by what it answers first."""

from __future__ import annotations

import pytest

from planner.stores.greeting import Greeting
from planner.stores.products.detection import detect
from planner.stores.products.opening import make_product
from planner.stores.products.product import Site
from planner.stores.recorded import silent
from tests.fakes import FakeRegistry
from tests.fakes.front import Front
from tests.fakes.gitlab import FakeGitLab
from tests.fakes.harbor import FakeHarbor
from tests.fakes.messages import Call, Reply, make_reply
from tests.fakes.quay import FakeQuay
from tests.sites import greet


@pytest.mark.parametrize(
    ("host", "product"),
    [
        pytest.param("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "ecr", id="ecr"),
        pytest.param("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "ecr", id="ecr fips"),
        pytest.param("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr", id="ecr china"),
        pytest.param("123456789012.dkr-ecr.eu-west-1.on.aws", "ecr", id="ecr dual stack"),
        pytest.param("public.ecr.aws", "ecr-public", id="ecr public"),
        pytest.param("corp.azurecr.io", "acr", id="acr"),
        pytest.param("corp.azurecr.cn", "acr", id="acr china"),
        pytest.param("europe-docker.pkg.dev", "gar", id="gar"),
        pytest.param("gcr.io", "gar", id="gcr"),
        pytest.param("eu.gcr.io", "gar", id="gcr of a region"),
        pytest.param("ghcr.io", "ghcr", id="ghcr"),
        pytest.param("quay.io", "quay", id="quay"),
        pytest.param("docker.io", "dockerhub", id="hub"),
        pytest.param("registry-1.docker.io", "dockerhub", id="hub's registry"),
        pytest.param("GHCR.IO:443", "ghcr", id="case and port"),
        pytest.param("12345.dkr.ecr.eu-west-1.amazonaws.com", "distribution", id="no account"),
        pytest.param("ghcr.io.evil.example", "distribution", id="a longer name"),
        pytest.param("notgcr.io", "distribution", id="another name"),
        pytest.param("registry.corp:5000", "distribution", id="anything"),
    ],
)
def test_by_the_host(host: str, product: str) -> None:
    assert detect(host, Greeting(401)) == product


BEARER = 'Bearer realm="https://h{}",service="{}"'


@pytest.mark.parametrize(
    ("headers", "body", "product"),
    [
        pytest.param(
            {"www-authenticate": BEARER.format("/service/token", "harbor-registry")},
            b"{}",
            "harbor",
            id="harbor",
        ),
        pytest.param(
            {"www-authenticate": BEARER.format("/jwt/auth", "container_registry")},
            b"{}",
            "gitlab",
            id="gitlab",
        ),
        pytest.param(
            {"www-authenticate": BEARER.format("/v2/auth", "h")}, b"{}", "quay", id="quay"
        ),
        pytest.param({"x-sparse-manifest-support": "false"}, b"", "quay", id="quay by a header"),
        pytest.param({}, b"true\n", "quay", id="quay by its body"),
        pytest.param(
            {
                "x-jfrog-version": "Artifactory/7.90",
                "www-authenticate": 'Basic realm="Artifactory Realm"',
            },
            b"",
            "artifactory",
            id="artifactory",
        ),
        pytest.param({"x-artifactory-id": "abc"}, b"", "artifactory", id="artifactory by its id"),
        pytest.param({"server": "Nexus/3.70.1-02 (OSS)"}, b"", "nexus", id="nexus"),
        pytest.param({"server": "nginx"}, b"{}", "distribution", id="nginx"),
        pytest.param(
            {"www-authenticate": BEARER.format("/token", "registry")},
            b"",
            "distribution",
            id="a token server",
        ),
        pytest.param(
            {"www-authenticate": 'Basic realm="harbor-registry"'}, b"", "distribution", id="basic"
        ),
        pytest.param({}, b"", "distribution", id="nothing at all"),
    ],
)
def test_by_the_greeting(headers: dict[str, str], body: bytes, product: str) -> None:
    assert detect("r.corp", Greeting(401, headers, body)) == product


@pytest.mark.parametrize(
    ("plane", "product"),
    [
        pytest.param(FakeHarbor({}), "harbor", id="harbor"),
        pytest.param(FakeQuay({}), "quay", id="quay"),
        pytest.param(FakeGitLab({}), "gitlab", id="gitlab"),
    ],
)
def test_by_what_comes_over_the_wire(
    plane: FakeHarbor | FakeQuay | FakeGitLab, product: str
) -> None:
    with Front(plane) as front:
        assert detect(front.host, greet(front.url)) == product


def test_headers_of_a_product_before_a_plain_registry() -> None:
    def nothing(_: Call) -> Reply | None:
        return None

    with FakeRegistry() as registry, Front(nothing, registry.url, {"Server": "Nexus/3.1"}) as front:
        assert detect(front.host, greet(front.url)) == "nexus"
        assert detect(registry.host, greet(registry.url)) == "distribution"


def test_a_server_that_is_no_registry() -> None:
    with Front(lambda _: make_reply(404, b"<html>")) as front:
        assert detect(front.host, greet(front.url)) == "distribution"


def test_a_product_that_nobody_knows_is_a_plain_registry() -> None:
    product = make_product("of-tomorrow", Site("r", "http://r", Greeting(), silent, lambda: None))
    assert (product.word, product.namespace("a/b")) == ("", "")
