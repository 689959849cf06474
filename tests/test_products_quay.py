"""Quay: organizations, who can create them, and that no question creates anything."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from planner.core.namespaces import MISSING, THERE, Standing
from planner.stores.products.quay import Quay
from tests.fakes.front import Front
from tests.fakes.messages import make_reply
from tests.fakes.quay import OAUTH_USER, FakeQuay
from tests.making import error_of
from tests.sites import PASSWORD, site_of

ROBOT = "apps+mirror"
USERS = {"me": PASSWORD, ROBOT: PASSWORD, OAUTH_USER: PASSWORD}
APPS = {"apps": frozenset({"me", ROBOT})}


@contextmanager
def quay(plane: FakeQuay, user: str = OAUTH_USER) -> Iterator[tuple[Quay, Front]]:
    with Front(plane) as front:
        yield Quay(site_of(front, user)), front


@pytest.mark.parametrize(
    ("repository", "namespace", "complains"),
    [
        pytest.param("apps/nginx", "apps", False, id="organization and name"),
        pytest.param("apps/a/b", "apps", False, id="nested, which a setting decides"),
        pytest.param("nginx", "library", False, id="one component"),
        pytest.param("a/nginx", "a", True, id="too short"),
        pytest.param("a__b/nginx", "a__b", True, id="two underscores"),
    ],
)
def test_the_organization_is_the_first_component(
    repository: str, namespace: str, complains: bool
) -> None:
    with quay(FakeQuay(USERS)) as (product, _):
        assert product.namespace(repository) == namespace
        assert bool(product.complaint(repository)) is complains


@pytest.mark.parametrize("user", [OAUTH_USER, "me", ROBOT, ""])
def test_organizations_and_users_are_there(user: str) -> None:
    with quay(FakeQuay(USERS, dict(APPS)), user) as (product, _):
        assert product.standings(["apps", "me"]) == {"apps": THERE, "me": THERE}


def test_no_question_creates_anything() -> None:
    plane = FakeQuay(USERS, dict(APPS), namespaces_on_push=True)
    with quay(plane) as (product, front):
        product.standings(["apps", "new", "me"])
        product.complaint("new/a"), product.administrators_command("new")
        assert plane.created == []
        assert front.count("GET", "/v2/auth") == 0
        assert front.count("POST|PUT|PATCH|DELETE", "") == 0


@pytest.mark.parametrize(
    ("user", "who"),
    [
        pytest.param("me", "me cannot create one", id="password"),
        pytest.param(ROBOT, "robot apps+mirror cannot create one", id="robot"),
        pytest.param("", "a stranger cannot create one", id="nobody"),
    ],
)
def test_only_oauth_tokens_create_organizations(user: str, who: str) -> None:
    with quay(FakeQuay(USERS), user) as (product, _):
        (standing,) = product.standings(["new"]).values()
        assert standing.state == "missing"
        assert standing.obstacle.startswith(who)
        assert OAUTH_USER in standing.obstacle


def test_a_missing_organization_can_be_created_by_a_token() -> None:
    plane = FakeQuay(USERS)
    with quay(plane) as (product, _):
        assert product.standings(["new"]) == {"new": MISSING}
        product.create("new")
        assert plane.created == ["organization new"]
        assert product.standings(["new"]) == {"new": THERE}


def test_that_somebody_was_faster_is_a_success() -> None:
    plane = FakeQuay(USERS, dict(APPS))
    with quay(plane) as (product, _):
        product.create("apps")
    assert plane.created == []


def test_a_name_that_is_refused_for_another_reason_is_an_error() -> None:
    def plane(call: Any) -> Any:
        return make_reply(400 if call.method == "POST" else 404, b'{"message": "Bad name"}')

    with Front(plane) as front:
        error = error_of(lambda: Quay(site_of(front, OAUTH_USER)).create("new"))
        assert error.status == 400


def test_a_creation_that_is_refused_says_who_may() -> None:
    with quay(FakeQuay(USERS), "me") as (product, _):
        error = error_of(lambda: product.create("new"))
        assert error.status == 401
        assert product.administrators_command("new") in error.hint


def test_the_command_is_one_line_for_a_shell() -> None:
    with quay(FakeQuay(USERS)) as (product, front):
        command = product.administrators_command("new")
        *_, body, url = shlex.split(command)
        assert json.loads(body) == {"name": "new", "email": "ADDRESS"}
        assert url == f"{front.url}/api/v1/organization/"
        assert PASSWORD not in command


def test_a_quay_that_tells_nobody_without_a_token_leaves_it_unknown() -> None:
    with quay(FakeQuay(USERS, dict(APPS), anonymous=False), ROBOT) as (product, _):
        (standing,) = product.standings(["apps"]).values()
        assert standing.state == "unknown"
        assert f"robot {ROBOT} about apps (401)" in standing.obstacle


@pytest.mark.parametrize(
    ("quota", "room"),
    [
        pytest.param({}, None, id="not told"),
        pytest.param(
            {"quotas": [], "quota_report": {"quota_bytes": 5, "configured_quota": None}},
            None,
            id="none",
        ),
        pytest.param(
            {"quotas": [], "quota_report": {"quota_bytes": 5, "configured_quota": 12}},
            7,
            id="the default",
        ),
        pytest.param(
            {
                "quotas": [
                    {
                        "limit_bytes": 200,
                        "limits": [
                            {"type": "Warning", "limit_percent": 10},
                            {"type": "Reject", "limit_percent": 50},
                        ],
                    }
                ],
                "quota_report": {"quota_bytes": 40, "configured_quota": 200},
            },
            60,
            id="its own, until pushes are refused",
        ),
        pytest.param({"quotas": "?", "quota_report": {"quota_bytes": 1}}, None, id="nonsense"),
    ],
)
def test_what_the_quota_has_left(quota: Mapping[str, Any], room: int | None) -> None:
    with quay(FakeQuay(USERS, dict(APPS), quotas={"apps": quota})) as (product, _):
        assert product.standings(["apps"])["apps"] == Standing("there", room=room)


def test_repositories_are_listed_by_the_catalog() -> None:
    with quay(FakeQuay(USERS)) as (product, front):
        asked = len(front.requests)
        assert product.repositories() is None
        assert len(front.requests) == asked
