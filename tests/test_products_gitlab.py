"""GitLab: which part of a name is the project, and what stands between a login and a push to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest

from planner.core.namespaces import MISSING, THERE
from planner.stores.products.gitlab import GitLab
from tests.fakes.front import Front
from tests.fakes.gitlab import FakeGitLab
from tests.making import error_of
from tests.sites import PASSWORD, site_of

USERS = {"me": PASSWORD, "robot": "for-the-registry"}


@contextmanager
def gitlab(
    plane: FakeGitLab, user: str = "me", password: str = PASSWORD
) -> Iterator[tuple[GitLab, Front]]:
    with Front(plane) as front:
        yield GitLab(site_of(front, user, password)), front


@pytest.mark.parametrize(
    ("repository", "project"),
    [
        pytest.param("g/p", "g/p", id="two components are a project"),
        pytest.param("g/p/a", "g/p", id="one below"),
        pytest.param("g/p/a/b", "g/p", id="two below"),
        pytest.param("g/s/q", "g/s/q", id="in a subgroup"),
        pytest.param("g/s/q/a/b", "g/s/q", id="in a subgroup, two below"),
        pytest.param("g/new/a/b", "g/new", id="missing: the shortest"),
        pytest.param("g/s/new/a", "g/s/new", id="missing: a group is no project"),
        pytest.param("g/s/t/new", "g/s/t/new", id="missing: nor is the next"),
        pytest.param("g/s/t", "g/s/t", id="nothing else is left"),
    ],
)
def test_which_part_of_a_name_is_the_project(repository: str, project: str) -> None:
    groups = {"g": 1, "g/s": 2, "g/s/t": 3}
    with gitlab(FakeGitLab(USERS, groups, {"g/p": {}, "g/s/q": {}})) as (product, front):
        assert product.namespace(repository) == project
        assert product.complaint(repository) == ""
        assert front.count("POST|PUT|PATCH|DELETE", "") == 0


def test_what_was_asked_once_is_remembered() -> None:
    with gitlab(FakeGitLab(USERS, {"g": 1}, {"g/p": {}})) as (product, front):
        for name in ("g/p", "g/p/a", "g/p/b", "g/p/a/c"):
            assert product.namespace(name) == "g/p"
        product.standings(["g/p"])
        assert front.count("GET", "/api/v4/projects/") == 1


def test_a_name_of_one_component_is_no_image_of_gitlab() -> None:
    with gitlab(FakeGitLab(USERS)) as (product, _):
        assert "GROUP/PROJECT" in product.complaint("nginx")


def test_the_api_is_where_the_tokens_come_from() -> None:
    with (
        Front(FakeGitLab(USERS, {"g": 1}, {"g/p": {}})) as main,
        Front(FakeGitLab(USERS, realm=main.url)) as registry,
    ):
        product = GitLab(site_of(registry, "me"))
        assert product.standings(["g/p"]) == {"g/p": THERE}
        assert registry.count("GET", "/api/") == 0


def test_a_registry_with_tls_whose_realm_has_none_gets_no_token() -> None:
    with Front(FakeGitLab(USERS, {"g": 1}, {"g/p": {}})) as front:
        site = site_of(front, "me")._replace(base="https://registry.corp")
        asked = len(front.requests)
        error = error_of(lambda: GitLab(site).standings(["g/p"]))
        assert "without TLS" in error.message
        assert len(front.requests) == asked


def test_projects_that_are_there_and_missing() -> None:
    with gitlab(FakeGitLab(USERS, {"g": 1}, {"g/p": {}})) as (product, _):
        assert product.standings(["g/p", "g/new"]) == {"g/p": THERE, "g/new": MISSING}


@pytest.mark.parametrize(
    ("project", "obstacle"),
    [
        pytest.param({"archived": True}, "g/p is archived", id="archived"),
        pytest.param(
            {"container_registry_access_level": "disabled"},
            "g/p has its container registry turned off",
            id="no registry",
        ),
        pytest.param(
            {"level": 20}, "this login may not push to g/p: a developer of it may", id="reporter"
        ),
        pytest.param({"level": 30}, "", id="developer"),
        pytest.param({"permissions": {}}, "", id="administrator"),
        pytest.param({"path_with_namespace": "g/P"}, "", id="another case"),
        pytest.param(
            {"path_with_namespace": "g/q"},
            "g/p is called g/q now, and its old name takes no images",
            id="moved",
        ),
    ],
)
def test_what_is_in_the_way_of_a_push(project: dict[str, Any], obstacle: str) -> None:
    with gitlab(FakeGitLab(USERS, {"g": 1}, {"g/p": project})) as (product, _):
        assert product.standings(["g/p"])["g/p"] == THERE._replace(obstacle=obstacle)


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [
        pytest.param("x/new", "there is no group x that this login may see (404)", id="no group"),
        pytest.param("g", "g is a group, which holds no images", id="a group"),
        pytest.param(
            "g/p/a", "g/p is a project, which takes 2 more components at most", id="too deep"
        ),
    ],
)
def test_what_is_in_the_way_of_a_creation(name: str, obstacle: str) -> None:
    with gitlab(FakeGitLab(USERS, {"g": 1}, {"g/p": {}})) as (product, _):
        assert product.standings([name])[name] == MISSING._replace(obstacle=obstacle)


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        pytest.param("", "", "nobody without a login about g/p (404)", id="nobody"),
        pytest.param("me", "wrong", "this login about g/p (401)", id="deploy token"),
        pytest.param("robot", "for-the-registry", "this login about g/p (403)", id="registry only"),
    ],
)
def test_tokens_that_the_api_does_not_take(user: str, password: str, reason: str) -> None:
    plane = FakeGitLab(USERS, {"g": 1}, {"g/p": {}}, limited=frozenset({"robot"}))
    with gitlab(plane, user, password) as (product, _):
        assert product.namespace("g/p/a/b") == "g/p"
        (standing,) = product.standings(["g/p"]).values()
        assert standing.state == "unknown"
        assert standing.obstacle == f"GitLab does not tell {reason}"


def test_a_project_is_created_private_in_its_group() -> None:
    plane = FakeGitLab(USERS, {"g": 1, "g/s": 7})
    with gitlab(plane) as (product, _):
        assert product.standings(["g/s/new"]) == {"g/s/new": MISSING}
        product.create("g/s/new")
        expected = {"name": "new", "path": "new", "namespace_id": 7, "visibility": "private"}
        assert plane.created == [expected]
        assert product.standings(["g/s/new"]) == {"g/s/new": THERE}


@pytest.mark.parametrize("hidden", [False, True])
def test_that_somebody_was_faster_is_a_success_when_it_can_be_seen(hidden: bool) -> None:
    plane = FakeGitLab(USERS, {"g": 1}, hidden=frozenset({"g/new"} if hidden else ()))
    with gitlab(plane) as (product, _):
        assert product.standings(["g/new"]) == {"g/new": MISSING}
        plane.projects["g/new"] = {}
        if hidden:
            assert error_of(lambda: product.create("g/new")).status == 400
        else:
            product.create("g/new")
        assert plane.created == []


def test_a_creation_that_is_refused_says_who_may() -> None:
    with gitlab(FakeGitLab(USERS, {"g": 1}, may_create=False)) as (product, _):
        error = error_of(lambda: product.create("g/new"))
        assert error.status == 403
        assert product.administrators_command("g/new") in error.hint
        assert "namespace_id=1" in error.hint


def test_the_command_is_one_line_for_a_shell() -> None:
    with gitlab(FakeGitLab(USERS, {"g": 5})) as (product, front):
        product.standings(["g/new"])
        command = product.administrators_command("g/new")
        *_, form, url = shlex.split(command)
        assert parse_qs(form) == {
            "name": ["new"],
            "path": ["new"],
            "namespace_id": ["5"],
            "visibility": ["private"],
        }
        assert url == f"{front.url}/api/v4/projects"
        assert "PRIVATE-TOKEN: TOKEN" in command
        assert "ID_OF_other" in product.administrators_command("other/new")


def test_repositories_of_all_projects_come_in_pages() -> None:
    many = [f"g/p/{number}" for number in range(205)]
    plane = FakeGitLab(
        USERS, {"g": 1}, {"g/p": {}, "g/off": {}, "g/q": {}}, images={0: many, 1: None, 2: ["g/q"]}
    )
    with gitlab(plane) as (product, front):
        assert list(product.repositories()) == [*many, "g/q"]
        assert front.count("GET", "/api/v4/projects/0/registry/repositories") == 3
