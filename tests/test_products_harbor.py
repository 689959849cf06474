"""Harbor: which projects there are, which can be created and by whom, and what a project lets in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from planner.core.namespaces import MISSING, THERE, Freeze, Standing
from planner.stores.products.harbor import Harbor
from tests.fakes.front import Front
from tests.fakes.harbor import ADMIN, FakeHarbor, Project
from tests.fakes.messages import make_reply
from tests.making import error_of
from tests.sites import PASSWORD, site_of

ROBOT, PROJECT_ROBOT = "robot$mirror", "robot$apps+mirror"
USERS = dict.fromkeys((ADMIN, "dev", "guest", ROBOT, PROJECT_ROBOT), PASSWORD)


@contextmanager
def harbor(plane: FakeHarbor, user: str = "dev") -> Iterator[tuple[Harbor, Front]]:
    with Front(plane) as front:
        yield Harbor(site_of(front, user)), front


def rule(repository: str, tag: str, **more: object) -> dict[str, object]:
    return {
        "scope_selectors": {
            "repository": [
                {"decoration": "repoMatches", "kind": "doublestar", "pattern": repository}
            ]
        },
        "tag_selectors": [{"decoration": "matches", "kind": "doublestar", "pattern": tag}],
    } | more


@pytest.mark.parametrize(
    ("repository", "complains"),
    [
        pytest.param("apps/nginx", False, id="project and name"),
        pytest.param("apps/a/b/c", False, id="nested name"),
        pytest.param("nginx", True, id="no project"),
        pytest.param("a__b/nginx", True, id="two underscores"),
        pytest.param("a--b/nginx", True, id="two hyphens"),
        pytest.param("a.b_c-d/nginx", False, id="single separators"),
        pytest.param(f"{'a' * 256}/nginx", True, id="long project"),
    ],
)
def test_a_project_has_narrower_names_than_a_repository(repository: str, complains: bool) -> None:
    with harbor(FakeHarbor(USERS)) as (product, front):
        assert bool(product.complaint(repository)) is complains
        assert product.namespace(repository) == repository.split("/", maxsplit=1)[0]
        assert front.count("GET", "/api/") == 0


def test_projects_that_are_there_and_missing() -> None:
    plane = FakeHarbor(USERS, {"apps": Project(roles={"dev": "developer"})})
    with harbor(plane) as (product, front):
        assert product.standings(["apps", "new"]) == {"apps": THERE, "new": MISSING}
        assert front.count("POST|PUT|PATCH|DELETE", "") == 0
        assert all("service/token" not in each.path for each in front.requests)


def test_one_list_tells_of_hundreds_of_projects() -> None:
    names = [f"p{number}" for number in range(120)]
    plane = FakeHarbor(USERS, {each: Project(proxy_of=1) for each in names})
    with harbor(plane, ADMIN) as (product, front):
        found = product.standings(names)
        assert {each.obstacle for each in found.values()} != {""}
        assert front.count("GET", r"/projects\?") == 2
        assert front.count("HEAD", "") == 0


def test_a_project_named_by_digits_is_no_id() -> None:
    plane = FakeHarbor(USERS, {"42": Project(roles={"dev": "admin"}, hard=10)})
    with harbor(plane) as (product, _):
        assert product.standings(["42"])["42"] == Standing("there", room=10)


def test_a_proxy_cache_takes_no_pushes() -> None:
    with harbor(FakeHarbor(USERS, {"hub": Project(proxy_of=3)}), ADMIN) as (product, _):
        (standing,) = product.standings(["hub"]).values()
        assert standing == Standing("there", "hub is a proxy cache, nothing can be pushed")


def test_a_project_that_is_hidden_is_not_missing() -> None:
    with harbor(FakeHarbor(USERS, {"theirs": Project()})) as (product, _):
        (standing,) = product.standings(["theirs"]).values()
        assert standing.state == "there"
        assert "dev may not see theirs" in standing.obstacle


@pytest.mark.parametrize(
    ("user", "role", "blocked"),
    [
        pytest.param("dev", "developer", False, id="developer"),
        pytest.param("dev", "maintainer", False, id="maintainer"),
        pytest.param("dev", "guest", True, id="guest"),
        pytest.param("dev", "limited guest", True, id="limited guest"),
        pytest.param("dev", "", True, id="public only"),
        pytest.param(ADMIN, "", False, id="system administrator"),
        pytest.param("", "", True, id="nobody"),
    ],
)
def test_who_may_push(user: str, role: str, blocked: bool) -> None:
    plane = FakeHarbor(USERS, {"apps": Project(public=True, roles={user: role} if role else {})})
    with harbor(plane, user) as (product, _):
        assert bool(product.standings(["apps"])["apps"].obstacle) is blocked


def test_a_robot_has_no_role_and_may_push() -> None:
    plane = FakeHarbor(USERS, {"apps": Project(robots=frozenset({PROJECT_ROBOT}))})
    with harbor(plane, PROJECT_ROBOT) as (product, _):
        assert product.standings(["apps"])["apps"] == THERE


@pytest.mark.parametrize(
    ("user", "admin_only", "obstacle"),
    [
        pytest.param("dev", False, "", id="user where everybody may"),
        pytest.param("dev", True, "only administrators may create projects here", id="user"),
        pytest.param(ADMIN, True, "", id="administrator"),
        pytest.param(ROBOT, False, "", id="system robot"),
        pytest.param(
            PROJECT_ROBOT,
            False,
            "robot$apps+mirror is a project's robot, which cannot create projects",
            id="project robot",
        ),
    ],
)
def test_it_is_foreseen_who_cannot_create(user: str, admin_only: bool, obstacle: str) -> None:
    with harbor(FakeHarbor(USERS, admin_only=admin_only), user) as (product, _):
        assert product.standings(["new"])["new"] == Standing("missing", obstacle)


@pytest.mark.parametrize("user", ["", "stranger"])
def test_without_good_credentials_nothing_is_known(user: str) -> None:
    with harbor(FakeHarbor(USERS, {"theirs": Project()}), user) as (product, _):
        found = product.standings(["theirs", "new"])
        assert {each.state for each in found.values()} == {"unknown"}
        assert all(each.obstacle for each in found.values())


def test_read_only_mode_blocks_everything() -> None:
    plane = FakeHarbor(USERS, {"apps": Project(roles={"dev": "admin"})}, read_only=True)
    with harbor(plane) as (product, _):
        found = product.standings(["apps", "new"])
        assert {each.obstacle for each in found.values()} == {"Harbor is in read-only mode"}


@pytest.mark.parametrize(
    ("hard", "used", "room"),
    [(-1, 50, None), (100, 30, 70), (100, 130, 0)],
    ids=["unlimited", "some", "overfull"],
)
def test_what_the_quota_has_left(hard: int, used: int, room: int | None) -> None:
    plane = FakeHarbor(USERS, {"apps": Project(roles={"dev": "admin"}, hard=hard, used=used)})
    with harbor(plane) as (product, _):
        assert product.standings(["apps"])["apps"].room == room


def test_immutability_rules_that_count() -> None:
    excludes = rule("a", "latest")
    excludes["scope_selectors"]["repository"][0]["decoration"] = "repoExcludes"  # type: ignore[index]
    excludes["tag_selectors"][0]["decoration"] = "excludes"  # type: ignore[index]
    odd = [{"id": 7}, {"scope_selectors": [], "tag_selectors": ["?"]}]
    rules = [rule("**", "v*"), rule("**", "**", disabled=True), excludes, rule("", ""), *odd]
    plane = FakeHarbor(USERS, {"apps": Project(roles={"dev": "admin"}, rules=rules)})
    with harbor(plane) as (product, _):
        assert product.standings(["apps"])["apps"].freezes == (
            Freeze("**", "v*"),
            Freeze("a", "latest", True, True),
            Freeze("**", "**"),
        )


@pytest.mark.parametrize(
    ("freeze", "repository", "tag", "holds"),
    [
        pytest.param(Freeze(), "a/b", "v1", True, id="all"),
        pytest.param(Freeze("a", "v*"), "a", "v1", True, id="star"),
        pytest.param(Freeze("a", "v*"), "a", "1", False, id="other tag"),
        pytest.param(Freeze("*", "*"), "a/b", "v1", False, id="a star stays within a component"),
        pytest.param(Freeze("**/b"), "b", "1", True, id="two stars are no component, too"),
        pytest.param(Freeze("a/**"), "a", "1", False, id="but at the end at least one"),
        pytest.param(Freeze("a**"), "a/b", "1", False, id="within a component they are one"),
        pytest.param(Freeze("{a,b/*}"), "b/c", "1", True, id="alternatives"),
        pytest.param(Freeze("a", "v[0-9]"), "a", "v5", True, id="class"),
        pytest.param(Freeze("a", "v[^0-9]"), "a", "v5", False, id="class turned around"),
        pytest.param(Freeze("a", r"v\*"), "a", "v5", False, id="escaped"),
        pytest.param(Freeze("a", "1.0"), "a", "1x0", False, id="a dot is a dot"),
        pytest.param(Freeze("a", "{v1"), "a", "{v1", False, id="malformed"),
        pytest.param(Freeze("a", "latest", except_tags=True), "a", "v1", True, id="except tags"),
        pytest.param(Freeze("a", except_repositories=True), "a", "1", False, id="except names"),
    ],
)
def test_what_a_freeze_holds(freeze: Freeze, repository: str, tag: str, holds: bool) -> None:
    """Source of the expectations: bmatcuk/doublestar v1.3.4 doublestar_test.go."""
    assert freeze.holds(repository, tag) is holds


def test_a_project_is_created_private_and_without_a_quota_of_its_own() -> None:
    plane = FakeHarbor(USERS)
    with harbor(plane, ROBOT) as (product, front):
        product.create("new")
        assert plane.created == [{"project_name": "new", "metadata": {"public": "false"}}]
        assert front.count("GET|HEAD", "/api/") == 0, "a robot may not read it back"


def test_that_somebody_was_faster_is_a_success() -> None:
    plane = FakeHarbor(USERS)
    plane.before_create = lambda: plane.projects.update(new=Project())
    with harbor(plane) as (product, _):
        product.create("new")
    assert plane.created == []


@pytest.mark.parametrize("user", ["dev", PROJECT_ROBOT, ""])
def test_a_creation_that_is_refused_says_who_may(user: str) -> None:
    with harbor(FakeHarbor(USERS, admin_only=True), user) as (product, front):
        error = error_of(lambda: product.create("new"))
        assert error.status in (401, 403)
        assert "creating project new on r.corp" in error.message
        assert error.hint == f"have an administrator of Harbor run: {_command(front)}"


def test_the_command_is_one_line_for_a_shell() -> None:
    with harbor(FakeHarbor(USERS)) as (product, front):
        command = product.administrators_command("new")
        assert command == _command(front)
        *_, body, url = shlex.split(command)
        assert json.loads(body)["project_name"] == "new"
        assert url == f"{front.url}/api/v2.0/projects"


def _command(front: Front) -> str:
    body = '{"project_name": "new", "metadata": {"public": "false"}}'
    head = "curl -fsS -u ADMIN -H 'Content-Type: application/json' -d"
    return f"{head} '{body}' {front.url}/api/v2.0/projects"


def test_repositories_come_in_pages() -> None:
    names = [f"p{number}" for number in range(205)]
    plane = FakeHarbor(USERS, {each: Project() for each in names})
    with harbor(plane, ADMIN) as (product, front):
        assert list(product.repositories()) == [f"{each}/a" for each in names]
        assert front.count("GET", "/api/v2.0/repositories") == 3


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda product: product.standings(["a"]), id="standings"),
        pytest.param(lambda product: list(product.repositories()), id="repositories"),
    ],
)
def test_a_page_of_a_proxy_is_no_answer(ask: Callable[[Harbor], object]) -> None:
    with Front(lambda _: make_reply(200, b"<html>log in</html>")) as front:
        error = error_of(lambda: ask(Harbor(site_of(front, "dev"))))
        assert "api under registries" in error.hint
