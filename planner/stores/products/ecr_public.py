"""Amazon ECR Public: ``public.ecr.aws/ALIAS/REPOSITORY``, every repository of which must exist.

Source: botocore 1.44.5, data/ecr-public/2020-10-30/service-2.json (operations, shapes ``Repository``, ``RegistryAlias``). The
alias belongs to an account and is not part of the repository's name in the API.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from planner.core.errors import RegistryError
from planner.core.namespaces import MISSING, THERE, Standing
from planner.stores.products.aws import ALREADY_THERE, PUBLIC_REGION, Aws, reason
from planner.stores.products.ecr import explained
from planner.stores.products.product import Site

_PAGE = {"PageSize": 1000}
_PART = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
_NAME = re.compile(rf"(?=.{{2,205}}$){_PART}(?:/{_PART})*")


class EcrPublic:
    """The public registry of an account. ``api`` replaces the address of its API."""

    name = "ecr-public"
    title = "Amazon ECR Public"
    word = "repository"

    def __init__(self, site: Site) -> None:
        self._aws = Aws("ecr-public", PUBLIC_REGION, site.api)

    def complaint(self, repository: str) -> str:
        """A repository lies below an alias, and its name has single separators alone."""
        name = repository.partition("/")[2]
        if not name:
            return f"{self.title} wants ALIAS/REPOSITORY"
        if _NAME.fullmatch(name):
            return ""
        return f"{name} cannot be a repository of {self.title}: 2 to 205 characters, and single . _ - between them"

    def namespace(self, repository: str) -> str:
        """The repository itself, with the alias."""
        return repository

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By a listing of the account's own registry."""
        try:
            names, aliases = {each["repositoryName"] for each in self._listed()}, self._aliases()
        except RegistryError as error:
            return dict.fromkeys(namespaces, Standing("unknown", reason(error)))
        return {each: _standing(each, names, aliases) for each in namespaces}

    def create(self, namespace: str) -> None:
        """In the registry of the account that is logged in to AWS."""
        try:
            self._aws.call("create_repository", repositoryName=namespace.partition("/")[2])
        except RegistryError as error:
            if error.code == ALREADY_THERE:
                return
            raise explained(error, self.administrators_command(namespace)) from error

    def administrators_command(self, namespace: str) -> str:
        """By Amazon's command line."""
        name = shlex.quote(namespace.partition("/")[2])
        return f"aws ecr-public create-repository --repository-name {name} --region {PUBLIC_REGION}"

    def repositories(self) -> Iterator[str] | None:
        """The account's own, under its first alias; there is no ``_catalog``."""
        try:
            return iter([each["repositoryUri"].partition("/")[2] for each in self._listed()])
        except RegistryError:
            return None

    def _listed(self) -> list[dict[str, Any]]:
        return self._aws.listed("describe_repositories", "repositories", PaginationConfig=_PAGE)

    def _aliases(self) -> frozenset[str]:
        registries = self._aws.listed("describe_registries", "registries")
        return frozenset(alias["name"] for each in registries for alias in each["aliases"])


def _standing(namespace: str, names: set[str], aliases: frozenset[str]) -> Standing:
    alias, _, name = namespace.partition("/")
    if alias not in aliases:
        obstacle = f"{alias} is no alias of the AWS account that planner is logged in to"
        return Standing("unknown", obstacle)
    return THERE if name in names else MISSING
