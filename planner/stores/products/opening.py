"""From a product's name to the product."""

from __future__ import annotations

from importlib import import_module

from planner.stores.products.implicit import Implicit
from planner.stores.products.product import Product, Site

_TITLES = {
    "distribution": "a plain registry",
    "zot": "zot",
    "acr": "Azure Container Registry",
}
_MODULES = {
    "artifactory": "Artifactory",
    "dockerhub": "DockerHub",
    "ecr": "Ecr",
    "ecr_public": "EcrPublic",
    "gar": "Gar",
    "ghcr": "Ghcr",
    "gitlab": "GitLab",
    "harbor": "Harbor",
    "nexus": "Nexus",
    "quay": "Quay",
}


def make_product(name: str, site: Site) -> Product:
    """The product that planner.yaml, ``detect`` or an inventory names; only its own module is loaded.

    One that nobody knows, from an inventory that another release wrote, is a plain registry.
    """
    module = name.replace("-", "_")
    if module not in _MODULES:
        return Implicit(name, _TITLES.get(name, _TITLES["distribution"]))
    loaded = import_module(f"planner.stores.products.{module}")
    product: Product = getattr(loaded, _MODULES[module])(site)
    return product
