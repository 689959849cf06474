"""Which product a registry is: told by its host, or by what it answered to the one request that greets it.

No further request is made. A proxy may hide all of it; ``product`` in planner.yaml then says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from planner.stores.greeting import Greeting

# Source: AWS, Azure, Google and GitHub document the forms of their hosts.
_HOSTS: tuple[tuple[str, str], ...] = (
    (
        r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.(com(\.cn)?|eu)|on\.(aws|amazonwebservices\.com\.cn))",
        "ecr",
    ),
    (r"public\.ecr\.aws", "ecr-public"),
    (r".+\.azurecr\.(io|cn|us)", "acr"),
    (r"(.+-docker\.pkg\.dev|(.+\.)?gcr\.io)", "gar"),
    (r"ghcr\.io", "ghcr"),
    (r"quay\.io", "quay"),
    (r"(docker\.io|index\.docker\.io|registry-1\.docker\.io)", "dockerhub"),
)
# Source: goharbor/harbor src/core/service/token; gitlab-org/gitlab app/controllers/jwt_controller; quay/quay endpoints/v2.
_CHALLENGES: tuple[tuple[str, str], ...] = (
    (r'service="harbor-registry"', "harbor"),
    (r'realm="[^"]*/jwt/auth".*service="container_registry"', "gitlab"),
    (r'realm="[^"]*/v2/auth"', "quay"),
)


def detect(host: str, greeting: Greeting) -> str:
    """The product's name as planner.yaml has it; ``distribution`` when nothing says otherwise."""
    name = host.partition(":")[0].lower()
    for pattern, product in _HOSTS:
        if re.fullmatch(pattern, name):
            return product
    return _by_headers(greeting.headers) or _by_challenge(greeting)


def _by_headers(headers: Mapping[str, str]) -> str:
    if "x-jfrog-version" in headers or "x-artifactory-id" in headers:
        return "artifactory"
    if headers.get("server", "").startswith("Nexus/"):
        return "nexus"
    return "quay" if "x-sparse-manifest-support" in headers else ""


def _by_challenge(greeting: Greeting) -> str:
    for pattern, product in _CHALLENGES:
        if re.search(pattern, greeting.challenge):
            return product
    return "quay" if greeting.body.strip() == b"true" else "distribution"
