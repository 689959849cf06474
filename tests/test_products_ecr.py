"""Amazon ECR and ECR Public: what is there, what a push creates, what cannot be moved, and how to get in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from planner.core.namespaces import MISSING, THERE, Freeze, Standing
from planner.stores.products.aws import ecr_credentials
from planner.stores.products.ecr import Ecr
from planner.stores.products.ecr_public import EcrPublic
from tests.fakes.ecr import ACCOUNT, HOST, REGION, FakeEcr
from tests.fakes.ecr_public import ALIAS, FakeEcrPublic
from tests.fakes.front import Front
from tests.making import error_of
from tests.sites import site_of

COMMAND = f"aws ecr create-repository --repository-name a/b --region {REGION}"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is logged in to AWS, and nobody asks the machine's own metadata."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("botocore.exceptions", "botocore.config", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)


@contextmanager
def ecr(plane: FakeEcr) -> Iterator[Ecr]:
    with Front(plane) as front:
        yield Ecr(site_of(front, api=front.url)._replace(registry=HOST))


@contextmanager
def ecr_public(plane: FakeEcrPublic) -> Iterator[EcrPublic]:
    with Front(plane) as front:
        yield EcrPublic(site_of(front, api=front.url)._replace(registry="public.ecr.aws"))


def template(prefix: str, applied: str = "CREATE_ON_PUSH", **more: Any) -> dict[str, Any]:
    return {"prefix": prefix, "appliedFor": [applied], **more}


def test_every_repository_is_a_namespace() -> None:
    with ecr(FakeEcr()) as product:
        assert product.namespace("a/b/c") == "a/b/c"
        assert not product.complaint("a/b/c")
        assert product.complaint("a" * 257)


def test_one_listing_tells_what_is_missing() -> None:
    plane = FakeEcr()
    for number in range(3):
        plane.add(f"x/{number}")
    with ecr(plane) as product:
        assert product.standings(("x/1", "x/2", "y/1")) == {
            "x/1": THERE,
            "x/2": THERE,
            "y/1": MISSING,
        }
        assert plane.calls.count("DescribeRepositories") == 1
        assert sorted(product.repositories() or ()) == ["x/0", "x/1", "x/2"]


@pytest.mark.parametrize(
    ("rule", "filters", "freezes"),
    [
        pytest.param("MUTABLE", [], (), id="mutable"),
        pytest.param("IMMUTABLE", [], (Freeze(),), id="immutable"),
        pytest.param(
            "IMMUTABLE_WITH_EXCLUSION",
            ["latest", "dev-*"],
            (Freeze(tags="{latest,dev-*}", except_tags=True),),
            id="immutable but for some",
        ),
        pytest.param(
            "MUTABLE_WITH_EXCLUSION", ["v*"], (Freeze(tags="v*"),), id="mutable but for some"
        ),
    ],
)
def test_immutable_tags_are_told(rule: str, filters: list[str], freezes: tuple[Freeze]) -> None:
    plane = FakeEcr()
    shown = [{"filterType": "WILDCARD", "filter": each} for each in filters]
    more = {"imageTagMutabilityExclusionFilters": shown} if shown else {}
    plane.add("a/b", imageTagMutability=rule, **more)
    with ecr(plane) as product:
        assert product.standings(("a/b",)) == {"a/b": Standing("there", "", freezes)}


def test_a_freeze_spares_the_tags_that_amazon_spares() -> None:
    freeze = Freeze(tags="{latest,dev-*}", except_tags=True)
    assert freeze.holds("", "v1.0")
    assert not freeze.holds("", "dev-7")


@pytest.mark.parametrize(
    ("templates", "standing"),
    [
        pytest.param([template("a")], THERE, id="prefix"),
        pytest.param([template("ROOT")], THERE, id="all"),
        pytest.param([template("ab")], MISSING, id="another prefix"),
        pytest.param([template("a/b/c")], MISSING, id="the whole name"),
        pytest.param(
            [template("a/b"), template("a", "REPLICATION")], THERE, id="the longer one counts"
        ),
        pytest.param([template("a", "REPLICATION")], MISSING, id="not for pushes"),
        pytest.param(
            [template("ROOT"), template("a", "REPLICATION")], MISSING, id="ROOT counts last"
        ),
        pytest.param(
            [template("a/", imageTagMutability="IMMUTABLE")],
            Standing("there", "", (Freeze(),)),
            id="immutable",
        ),
    ],
)
def test_what_a_push_creates_is_as_good_as_there(
    templates: list[dict[str, Any]], standing: Standing
) -> None:
    with ecr(FakeEcr(templates)) as product:
        assert product.standings(("a/b/c",)) == {"a/b/c": standing}


def test_templates_that_may_not_be_read_are_none() -> None:
    plane = FakeEcr([template("a")], denied={"DescribeRepositoryCreationTemplates"})
    with ecr(plane) as product:
        assert product.standings(("a/b",)) == {"a/b": MISSING}


def test_a_policy_for_some_repositories_is_asked_one_by_one() -> None:
    plane = FakeEcr(only="a/b")
    plane.add("a/b")
    with ecr(plane) as product:
        standings = product.standings(("a/b", "c/d"))
        assert product.repositories() is None
    assert standings["a/b"] == THERE
    assert standings["c/d"].state == "unknown"
    assert "not authorized to perform: ecr:DescribeRepositories" in standings["c/d"].obstacle


def test_what_is_created_is_there_and_may_have_been_there_before() -> None:
    plane = FakeEcr()
    with ecr(plane) as product:
        product.create("a/b")
        product.create("a/b")
    assert plane.repositories == {"a/b"}


def test_a_creation_without_the_right_names_the_command() -> None:
    with ecr(FakeEcr(denied={"CreateRepository"})) as product:
        error = error_of(lambda: product.create("a/b"))
        assert product.administrators_command("a/b") == COMMAND
    assert error.hint == f"have an administrator run: {COMMAND}"
    assert (error.status, error.code) == (400, "AccessDeniedException")


@pytest.mark.usefixtures("without_botocore")
def test_without_botocore_it_is_not_known_and_nothing_fails() -> None:
    with ecr(FakeEcr()) as product:
        found = product.standings(("a/b",))["a/b"]
        assert product.administrators_command("a/b") == COMMAND
        assert product.repositories() is None
    assert found.state == "unknown"
    assert "pip install 'planner[ecr]'" in found.obstacle
    assert ecr_credentials(HOST) is None


def test_without_a_login_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with ecr(FakeEcr()) as product:
        found = product.standings(("a/b",))["a/b"]
    assert found.state == "unknown"
    assert "aws sso login" in found.obstacle


def test_no_key_of_an_account_is_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    with ecr(FakeEcr(denied={"DescribeRepositories"})) as product:
        obstacle = product.standings(("a/b",))["a/b"].obstacle
    assert "wJalr" not in obstacle
    assert "AKIA" not in obstacle


def test_the_password_of_the_registry_comes_from_aws() -> None:
    with Front(FakeEcr()) as front:
        found = ecr_credentials(HOST, front.url)
    assert found is not None
    assert (found.username, found.password) == ("AWS", f"{ACCOUNT}-auth-token")
    assert found.password not in repr(found)


def test_only_hosts_of_amazon_are_looked_up() -> None:
    assert ecr_credentials("registry.corp:5000", "http://127.0.0.1:1") is None


def test_a_refused_password_is_an_error() -> None:
    with Front(FakeEcr(denied={"GetAuthorizationToken"})) as front:
        error = error_of(lambda: ecr_credentials(HOST, front.url))
    assert error.code == "AccessDeniedException"


def test_a_public_registry_is_read_without_a_login() -> None:
    assert ecr_credentials("public.ecr.aws", "http://127.0.0.1:1") is None


def test_public_repositories_lie_below_an_alias_of_the_account() -> None:
    with ecr_public(FakeEcrPublic(["before", "there", "after"])) as product:
        standings = product.standings((f"{ALIAS}/there", f"{ALIAS}/a/b", "other/there"))
        names = [each.partition("/")[2] for each in product.repositories() or ()]
    assert names == ["before", "there", "after"]
    assert standings[f"{ALIAS}/there"] == THERE
    assert standings[f"{ALIAS}/a/b"] == MISSING
    assert standings["other/there"].state == "unknown"


@pytest.mark.parametrize(
    ("repository", "complains"),
    [
        pytest.param(f"{ALIAS}/a/b.c_d-e", False, id="single separators"),
        pytest.param(f"{ALIAS}/a--b", True, id="two hyphens"),
        pytest.param(f"{ALIAS}/a", True, id="too short"),
        pytest.param("pause", True, id="no alias"),
    ],
)
def test_a_public_repository_has_narrower_names(repository: str, complains: bool) -> None:
    with ecr_public(FakeEcrPublic()) as product:
        assert bool(product.complaint(repository)) is complains


def test_a_public_repository_is_created_without_its_alias() -> None:
    plane = FakeEcrPublic()
    with ecr_public(plane) as product:
        product.create(f"{ALIAS}/a/b")
        product.create(f"{ALIAS}/a/b")
        command = product.administrators_command(f"{ALIAS}/a/b")
    assert plane.repositories == ["a/b"]
    assert command == "aws ecr-public create-repository --repository-name a/b --region us-east-1"


def test_a_public_registry_that_may_not_be_listed_is_not_known() -> None:
    with ecr_public(FakeEcrPublic(denied={"DescribeRegistries", "CreateRepository"})) as product:
        found = product.standings((f"{ALIAS}/ab",))[f"{ALIAS}/ab"]
        error = error_of(lambda: product.create(f"{ALIAS}/ab"))
    assert found.state == "unknown"
    assert "aws ecr-public create-repository" in error.hint
