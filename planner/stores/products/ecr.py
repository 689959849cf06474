"""Amazon ECR: every repository must exist, unless a creation template lets the first push create it.

Source: botocore 1.44.5, data/ecr/2015-09-21/service-2.json (operations, shapes ``Repository``, ``RepositoryCreationTemplate``);
the first push: Amazon ECR User Guide, "Repository creation templates".
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from planner.core.errors import RegistryError
from planner.core.namespaces import MISSING, Freeze, Standing
from planner.stores.products.aws import ALREADY_THERE, NOT_THERE, Aws, read_host, reason
from planner.stores.products.product import Site

_LONGEST = 256
_SHORTEST = 2
_PAGE = {"PageSize": 1000}
_ROOT = "ROOT"


class Ecr:
    """A private registry of Amazon's. ``api`` replaces the address of the region's API."""

    name = "ecr"
    title = "Amazon ECR"
    word = "repository"

    def __init__(self, site: Site) -> None:
        self._host = read_host(site.registry)
        if not self._host.account:
            self._host = read_host(site.host)
        self._aws = Aws("ecr", self._host.region, site.api, fips=self._host.fips)
        self._account = {"registryId": self._host.account} if self._host.account else {}

    def complaint(self, repository: str) -> str:
        """Too short or too long: all else that a registry allows, ECR allows."""
        if _SHORTEST <= len(repository) <= _LONGEST:
            return ""
        return f"{self.title} wants names of {_SHORTEST} to {_LONGEST} characters"

    def namespace(self, repository: str) -> str:
        """The repository itself."""
        return repository

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By one listing of all; one by one where a policy is limited to some of them."""
        try:
            found = self._listed()
        except RegistryError as error:
            if not _is_denied(error):
                return dict.fromkeys(namespaces, Standing("unknown", reason(error)))
            return self._standings_singly(namespaces)
        there = {each["repositoryName"]: Standing("there", "", _freezes(each)) for each in found}
        return self._with_templates({each: there.get(each, MISSING) for each in namespaces})

    def create(self, namespace: str) -> None:
        """With the defaults of the registry: mutable tags, encrypted by Amazon's own key."""
        try:
            self._aws.call("create_repository", repositoryName=namespace, **self._account)
        except RegistryError as error:
            if error.code == ALREADY_THERE:
                return
            raise explained(error, self.administrators_command(namespace)) from error

    def administrators_command(self, namespace: str) -> str:
        """By Amazon's command line."""
        region = f" --region {self._host.region}" if self._host.region else ""
        return f"aws ecr create-repository --repository-name {shlex.quote(namespace)}{region}"

    def repositories(self) -> Iterator[str] | None:
        """By the API; its own ``_catalog`` where that may not be asked."""
        try:
            return iter([each["repositoryName"] for each in self._listed()])
        except RegistryError:
            return None

    def _listed(self) -> list[dict[str, Any]]:
        return self._aws.listed(
            "describe_repositories", "repositories", PaginationConfig=_PAGE, **self._account
        )

    def _standings_singly(self, namespaces: Iterable[str]) -> Mapping[str, Standing]:
        return self._with_templates({each: self._standing(each) for each in namespaces})

    def _standing(self, namespace: str) -> Standing:
        try:
            told = self._aws.call(
                "describe_repositories", repositoryNames=[namespace], **self._account
            )
        except RegistryError as error:
            return MISSING if error.code == NOT_THERE else Standing("unknown", reason(error))
        return Standing("there", "", _freezes(told["repositories"][0]))

    def _with_templates(self, standings: dict[str, Standing]) -> Mapping[str, Standing]:
        """What is missing is as good as there when a push creates it."""
        missing = [each for each, standing in standings.items() if standing.state == "missing"]
        templates = self._templates() if missing else {}
        for each in missing:
            if template := _template_for(each, templates):
                standings[each] = Standing("there", "", _freezes(template))
        return standings

    def _templates(self) -> Mapping[str, Mapping[str, Any]]:
        """By prefix; none when they may not be asked for: what is missing is then created."""
        try:
            found = self._aws.listed(
                "describe_repository_creation_templates",
                "repositoryCreationTemplates",
                PaginationConfig=_PAGE,
            )
        except RegistryError:
            return {}
        return {each["prefix"].rstrip("/"): each for each in found}


def _template_for(
    repository: str, templates: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The template of the longest prefix of a name, ROOT's else; None when that does not speak of pushes."""
    parts = repository.split("/")
    prefixes = ("/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    found = next((templates[each] for each in (*prefixes, _ROOT) if each in templates), None)
    return found if found and "CREATE_ON_PUSH" in found.get("appliedFor", ()) else None


def _freezes(settings: Mapping[str, Any]) -> tuple[Freeze, ...]:
    """Which tags cannot be moved. The filters know ``*`` alone, and name the exceptions from the rule."""
    rule = settings.get("imageTagMutability", "MUTABLE")
    filters = settings.get("imageTagMutabilityExclusionFilters") or ()
    patterns = [each["filter"] for each in filters if rule.endswith("_WITH_EXCLUSION")]
    if rule.startswith("MUTABLE"):
        return tuple(Freeze(tags=each) for each in patterns)
    if not patterns:
        return (Freeze(),)
    return (Freeze(tags=f"{{{','.join(patterns)}}}", except_tags=True),)


def _is_denied(error: RegistryError) -> bool:
    return error.code.startswith("AccessDenied")


def explained(error: RegistryError, command: str) -> RegistryError:
    """The error of a refused creation with a next step: what an administrator runs, or what raises a limit."""
    hint = error.hint
    if _is_denied(error):
        hint = f"have an administrator run: {command}"
    elif error.code == "LimitExceededException":
        hint = "have the quota for repositories raised (AWS Service Quotas), or delete some"
    return RegistryError(
        error.message, hint, status=error.status, code=error.code, retryable=error.retryable
    )
