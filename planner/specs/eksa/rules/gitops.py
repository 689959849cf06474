"""FluxConfig and GitOpsConfig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, rule
from planner.core.text import closest
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import blank_fields, deepest, reached

_BRANCH = re.compile(r"[0-9A-Za-z_+,]+\.?/?[0-9A-Za-z\-_+,]+")
_REPOSITORY = re.compile(r"[0-9A-Za-z\-_.]+")
_SCP = re.compile(r"(?P<user>[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>[^/].*)")
_ALGORITHMS = ("rsa", "ecdsa", "ed25519")


@rule("EKS130")
def not_one_git_provider(spec: Spec) -> Iterator[Hit]:
    """A FluxConfig has neither git nor github, or both.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/fluxconfig.go:18-24.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:  # <- EKS130
          branch: main

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          branch: main
          git: {repositoryUrl: ssh://git@git.example.com/fleet.git}
    """
    for document in reached(spec, "FluxConfig"):
        git, github = document.get("spec", "git"), document.get("spec", "github")
        if git.is_null() and github.is_null():
            message = "this FluxConfig has no repository: EKS Anywhere refuses it"
            yield Hit(deepest(document, "spec"), message, "add git or github")
        elif not git.is_null() and not github.is_null():
            message = "git and github stand together: EKS Anywhere takes only one"
            yield Hit(github, message, "keep one of them", related=((git, "the other one"),))


@rule("EKS131")
def incomplete_git_repository(spec: Spec) -> Iterator[Hit]:
    """A git repository for Flux lacks its owner, its name or its URL.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/fluxconfig.go:45-70, gitopsconfig.go:15-30.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          github:
            owner: ""  # <- EKS131
            repository: fleet

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          github:
            owner: example
            repository: fleet
    """
    for document in reached(spec, "FluxConfig"):
        git, github = document.get("spec", "git"), document.get("spec", "github")
        if git.kind == "mapping":
            yield from blank_fields(git, ("repositoryUrl",), "git")
        if github.kind == "mapping":
            yield from blank_fields(github, ("owner", "repository"), "github")
    for document in reached(spec, "GitOpsConfig"):
        below = deepest(document, "spec", "flux", "github")
        for name in ("owner", "repository"):
            value = document.get("spec", "flux", "github", name)
            if value.is_null() or (value.kind == "scalar" and not value.string()):
                message = f"spec.flux.github has no {name}: EKS Anywhere refuses the file"
                yield Hit(deepest(below, name), message, f"add {name}")


@rule("EKS132")
def invalid_git_name(spec: Spec) -> Iterator[Hit]:
    """The name of a repository or a branch has characters that EKS Anywhere does not take.

    A repository may have letters, digits, ``-``, ``_`` and ``.``. A branch may have letters, digits, ``_``, ``+`` and
    ``,``, at most one dot and one slash, dashes only in its last part, and at least two characters; git itself takes
    more.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/gitopsconfig.go:42-57.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          branch: feature/a/b  # <- EKS132
          github:
            owner: example
            repository: example/fleet  # <- EKS132

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          branch: feature/a-b
          github:
            owner: example
            repository: fleet
    """
    for below in _githubs(spec):
        name = below.get("repository")
        if name.string() and not _REPOSITORY.fullmatch(name.string()):
            message = f"EKS Anywhere refuses the repository name {name.string()!r}"
            yield Hit(name, message, "use letters, digits, '-', '_' and '.', without the owner")
    for branch in _branches(spec):
        if branch.string() and not _BRANCH.fullmatch(branch.string()):
            message = f"EKS Anywhere refuses the branch name {branch.string()!r}, although git may take it"
            yield Hit(branch, message, "use letters, digits and '_', with one '/' or '.' at most")


@rule("EKS133")
def repository_not_over_ssh(spec: Spec) -> Iterator[Hit]:
    """The URL of a git repository is not an ssh:// URL.

    EKS Anywhere pushes with an SSH key, and takes neither https nor the short form ``git@host:path``.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/fluxconfig.go:74-83.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          git:
            repositoryUrl: git@git.example.com:team/fleet.git  # <- EKS133

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          git:
            repositoryUrl: ssh://git@git.example.com/team/fleet.git
    """
    for document in reached(spec, "FluxConfig"):
        node = document.get("spec", "git", "repositoryUrl")
        url = parse_url(node.string())
        if node.string() and (not url or url.scheme != "ssh"):
            short = _SCP.fullmatch(node.string()) if not url else None
            wanted = f"ssh://{short['user'] or ''}{short['host']}/{short['path']}" if short else ""
            message = "the repositoryUrl is not an ssh:// URL: EKS Anywhere refuses it"
            hint = f"write {wanted}" if wanted else "write ssh://git@HOST/PATH"
            yield Hit(node, message, hint, fix=renamed(node, wanted))


@rule("EKS134")
def unknown_key_algorithm(spec: Spec) -> Iterator[Hit]:
    """The sshKeyAlgorithm is none of rsa, ecdsa and ed25519.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/fluxconfig.go:85-90.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          git:
            repositoryUrl: ssh://git@git.example.com/fleet.git
            sshKeyAlgorithm: dsa  # <- EKS134

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          git:
            repositoryUrl: ssh://git@git.example.com/fleet.git
            sshKeyAlgorithm: ed25519
    """
    for document in reached(spec, "FluxConfig"):
        node = document.get("spec", "git", "sshKeyAlgorithm")
        if node.string() and node.string() not in _ALGORITHMS:
            near = closest(node.string(), _ALGORITHMS)
            message = f"EKS Anywhere refuses the sshKeyAlgorithm {node.string()!r}"
            yield Hit(node, message, "one of rsa, ecdsa, ed25519", fix=renamed(node, near))


def _githubs(spec: Spec) -> Iterator[Node]:
    for document in reached(spec, "FluxConfig"):
        yield document.get("spec", "github")
    for document in reached(spec, "GitOpsConfig"):
        yield document.get("spec", "flux", "github")


def _branches(spec: Spec) -> Iterator[Node]:
    for document in reached(spec, "FluxConfig"):
        yield document.get("spec", "branch")
    for document in reached(spec, "GitOpsConfig"):
        yield document.get("spec", "flux", "github", "branch")
