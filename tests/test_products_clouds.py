"""Google Artifact Registry, GitHub's registry and Docker Hub: who owns a name, and whether a push can work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from planner.config import Config, RegistrySettings
from planner.core.namespaces import MISSING, THERE, Freeze, Standing
from planner.stores.opening import Places, Stores
from planner.stores.products.dockerhub import DockerHub
from planner.stores.products.gar import Gar
from planner.stores.products.ghcr import Ghcr
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.front import Front
from tests.fakes.gar import HOST, LOCATION, FakeGar
from tests.fakes.github import FakeGitHub
from tests.fakes.registry import FakeRegistry
from tests.making import IMPATIENT, error_of
from tests.sites import connect, site_of

TOKEN = "ya29.token"
GCLOUD = (
    "gcloud artifacts repositories create r --repository-format=docker"
    f" --location={LOCATION} --project=p"
)
UNREACHABLE = "http://127.0.0.1:1"


@contextmanager
def gar(
    plane: FakeGar, user: str = "oauth2accesstoken", password: str = TOKEN, registry: str = HOST
) -> Iterator[tuple[Gar, list[float]]]:
    pauses: list[float] = []
    with Front(plane) as front:
        site = site_of(front, user, password, api=front.url)._replace(registry=registry)
        yield Gar(site, pauses.append), pauses


def path_of(project: str, name: str) -> str:
    return f"projects/{project}/locations/{LOCATION}/repositories/{name}"


@pytest.mark.parametrize(
    ("registry", "repository", "namespace", "complains"),
    [
        pytest.param(HOST, "p/r/a/b", "p/r", False, id="project and repository"),
        pytest.param(HOST, "corp.com/p/r/a", "corp.com/p/r", False, id="project of a domain"),
        pytest.param(HOST, "p/r", "p/r", True, id="no image"),
        pytest.param("eu.gcr.io", "p/a", "", False, id="gcr.io"),
        pytest.param("gcr.io", "a", "", True, id="gcr.io without a project"),
    ],
)
def test_gar_has_repositories_in_projects(
    registry: str, repository: str, namespace: str, complains: bool
) -> None:
    with gar(FakeGar(), registry=registry) as (product, _):
        assert product.namespace(repository) == namespace
        assert bool(product.complaint(repository)) is complains


@pytest.mark.parametrize(
    ("settings", "standing"),
    [
        pytest.param({}, THERE, id="standard"),
        pytest.param(
            {"dockerConfig": {"immutableTags": True}},
            Standing("there", "", (Freeze(),)),
            id="immutable",
        ),
        pytest.param(
            {"mode": "REMOTE_REPOSITORY"},
            Standing("there", "it is a remote repository, which takes no pushes"),
            id="remote",
        ),
        pytest.param(
            {"format": "MAVEN"}, Standing("there", "it holds MAVEN, not images"), id="Maven"
        ),
    ],
)
@pytest.mark.parametrize("user", ["oauth2accesstoken", "_dcgcloud_token", "_dcgcr_2_1_32_token"])
def test_gar_is_asked_with_the_token_that_is_the_password(
    user: str, settings: dict[str, object], standing: Standing
) -> None:
    with gar(FakeGar(repositories={path_of("corp.com:p", "r"): settings}), user) as (product, _):
        found = product.standings(("corp.com/p/r", "p/other"))
    assert found == {"corp.com/p/r": standing, "p/other": MISSING}


def test_gar_is_not_asked_with_the_key_of_an_account() -> None:
    with gar(FakeGar(), "_json_key", '{"private_key": "secret"}') as (product, _):
        found = product.standings(("p/r",))["p/r"]
        assert product.administrators_command("p/r") == GCLOUD
    assert found.state == "unknown"
    assert "access token" in found.obstacle


def test_gar_says_in_its_words_that_somebody_may_not_ask() -> None:
    with gar(FakeGar(), password="expired") as (product, _):
        found = product.standings(("p/r",))["p/r"]
    assert found.state == "unknown"
    assert found.obstacle.endswith("401: Request had invalid authentication credentials")
    assert "expired" not in found.obstacle


def test_gar_is_waited_for_until_a_repository_is_there() -> None:
    plane = FakeGar(looks=3)
    with gar(plane) as (product, pauses):
        product.create("p/r")
        assert pauses == [1.0] * 3
        product.create("p/r")
    assert list(plane.repositories) == [path_of("p", "r")]


def test_gar_without_the_right_to_create_names_the_command() -> None:
    with gar(FakeGar(creators=())) as (product, _):
        error = error_of(lambda: product.create("p/r"))
    assert error.hint == f"have an administrator run: {GCLOUD}"
    assert "artifactregistry.repositories.create" in error.message


@contextmanager
def ghcr(plane: FakeGitHub, token: str = "") -> Iterator[Ghcr]:
    with Front(plane) as front:
        yield Ghcr(site_of(front, "me" if token else "", token, api=front.url))


@pytest.mark.parametrize(
    ("token", "standing"),
    [
        pytest.param("", THERE, id="nobody"),
        pytest.param("writes", THERE, id="writes"),
        pytest.param("app", THERE, id="a token without scopes"),
        pytest.param(
            "reads", Standing("there", "the token lacks the scope write:packages"), id="reads"
        ),
    ],
)
def test_github_tells_who_may_not_push(token: str, standing: Standing) -> None:
    scopes = {"writes": "repo, write:packages", "reads": "read:packages", "app": ""}
    with ghcr(FakeGitHub({"corp"}, scopes), token) as product:
        assert product.standings(("corp",)) == {"corp": standing}


def test_an_owner_on_github_is_not_made_by_planner() -> None:
    with ghcr(FakeGitHub({"corp"})) as product:
        found = product.standings(("corp", "crop"))["crop"]
        error = error_of(lambda: product.create("crop"))
        assert product.namespace("crop/a/b") == "crop"
        assert product.complaint("crop")
        assert product.administrators_command("crop") == ""
    assert (found.state, bool(found.obstacle)) == ("missing", True)
    assert "https://github.com/organizations/new" in error.hint


def test_github_out_of_questions_or_out_of_reach_blocks_nobody() -> None:
    with ghcr(FakeGitHub(is_exhausted=True)) as product:
        found = product.standings(("corp",))["corp"]
    assert found.state == "unknown"
    assert "rate limit exceeded" in found.obstacle
    with Front(FakeGitHub()) as front:
        product = Ghcr(site_of(front, api=UNREACHABLE))
        assert product.standings(("corp",))["corp"].state == "unknown"


@contextmanager
def hub(plane: FakeDockerHub, user: str = "", password: str = "secret") -> Iterator[DockerHub]:
    with Front(plane) as front:
        yield DockerHub(site_of(front, user, password, api=front.url))


@pytest.mark.parametrize(
    ("repository", "complains"),
    [
        pytest.param("corp/nginx", False, id="two components"),
        pytest.param("corp/a/nginx", True, id="three"),
        pytest.param("nginx", True, id="one"),
    ],
)
def test_docker_hub_has_no_nested_names(repository: str, complains: bool) -> None:
    with hub(FakeDockerHub()) as product:
        assert bool(product.complaint(repository)) is complains


def test_docker_hub_has_users_and_organizations() -> None:
    with hub(FakeDockerHub(users={"me"}, orgs={"corp"})) as product:
        found = product.standings(("me", "corp", "crop", "library"))
        error = error_of(lambda: product.create("crop"))
    assert (found["me"], found["corp"]) == (THERE, THERE)
    assert (found["crop"].state, bool(found["crop"].obstacle)) == ("missing", True)
    assert found["library"].obstacle
    assert "app.docker.com" in error.hint


@pytest.mark.parametrize(
    ("password", "names"),
    [
        pytest.param("secret", ["me/a", "me/b", "me/c"], id="right password"),
        pytest.param("wrong", ["me/a", "me/c"], id="wrong password"),
    ],
)
def test_docker_hub_lists_what_one_may_see(password: str, names: list[str]) -> None:
    plane = FakeDockerHub({"me"}, (), {"me": "secret"}, {"me": ["a", "b", "c"]}, {"b"})
    with hub(plane, "me", password) as product:
        assert list(product.repositories() or ()) == names


def test_docker_hub_has_no_list_for_nobody() -> None:
    with hub(FakeDockerHub()) as product:
        assert product.repositories() is None


def test_docker_hub_under_abuse_is_not_known() -> None:
    with Front(FakeDockerHub({"me"}, is_abused=True)) as front:
        site = site_of(front, api=front.url)
        found = DockerHub(site).standings(("me",))["me"]
    assert found.state == "unknown"
    assert "429" in found.obstacle


def test_both_limits_of_docker_hub_are_told_apart_by_their_words() -> None:
    with FakeRegistry() as backing:
        backing.add_image("library/a", "1", [b"layer"])
        for plane, words in (
            (FakeDockerHub(pulls=0), "your unauthenticated pull rate limit"),
            (FakeDockerHub(is_abused=True), "429 Too Many Requests"),
        ):
            with Front(plane, backing.url) as front:
                answer = connect(front.url).send("GET", "v2/library/a/manifests/1")
                assert (answer.status_code, words in answer.content.decode()) == (429, True)


def test_a_pull_is_counted_and_a_look_is_not() -> None:
    with FakeRegistry() as backing:
        backing.add_image("library/a", "1", [b"layer"])
        with Front(FakeDockerHub(pulls=1), backing.url) as front:
            places = Places(Config(registries={"hub": RegistrySettings(endpoint=front.url)}))
            store = Stores(places, IMPATIENT).source("hub")
            digests = {str(store.head("library/a", "1")) for _ in range(3)}
            assert len(digests) == 1
            store.manifest("library/a", "1")
            error = error_of(lambda: store.manifest("library/a", "1"))
    assert (error.status, error.code) == (429, "TOOMANYREQUESTS")
