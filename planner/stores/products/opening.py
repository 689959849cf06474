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
    """The product that planner.yaml or ``detect`` names; only its own module is loaded."""
    if name in _TITLES:
        return Implicit(name, _TITLES[name])
    module = name.replace("-", "_")
    loaded = import_module(f"planner.stores.products.{module}")
    product: Product = getattr(loaded, _MODULES[module])(site)
    return product
