"""Mistakes in rewrites: patterns, replacements, and whether they are ever applied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from planner.core.document import Node, Spec
from planner.core.family import NodeFlags
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed, rewritten
from planner.core.refs import DOCKER_HUB, name_problem
from planner.specs.k3s.regexp import GoRegexp, references
from planner.specs.k3s.registries import endpoint_name, hosts, mirrors
from planner.specs.k3s.rules.patterns import readable_rewrites, rewrites_of
from planner.specs.k3s.rules.samples import compiled, is_name, names_on
from planner.specs.k3s.rules.spelling import with_braces, without_backslashes

_BACKSLASH_GROUP = re.compile(r"\\([0-9])")
_EXAMPLES = 4
_PATH_HINT = (
    "a replacement is a path on the endpoint: lower case, without host, and no slash at its ends"
)


@rule("K3S061")
def rewrite_breaks_hosts_file(spec: Spec) -> Iterator[Hit]:
    r"""A pattern or a replacement has a character that K3s should have escaped.

    K3s writes both into hosts.toml between double quotes, as they are. A backslash or a double quote makes the file
    unreadable, and containerd asks only the registry itself; ``\b`` and ``\t`` are read as a backspace and a tab,
    and match nothing.

    Source: k3s-io/k3s cacc6d6 pkg/agent/templates/templates.go ``HostsTomlTemplate``; containerd 301026e
    core/remotes/docker/config/hosts.go:328-333.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/v1\.(.*)': 'mirror/$1'  # <- K3S061

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/v1[.](.*)': 'mirror/$1'

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/v1[.](.*)': 'mirror/$1'
    """
    hint = "write [.] for a literal dot, [0-9] for a digit, [a-z0-9_] for a word character"
    for mirror, pattern, node in rewrites_of(spec):
        if problem := _toml_problem(pattern):
            message = f"K3s writes the pattern unescaped into hosts.toml: {problem}"
            taken = {key for key, _ in mirrors(spec)[mirror].get("rewrite").fields()}
            wanted = without_backslashes(pattern)
            fix = renamed(spec, node.key, wanted, taken) if wanted else None
            yield Hit(node, message, hint, on_key=True, fix=fix)
        problem = _toml_problem(node.string())
        if problem and not _BACKSLASH_GROUP.search(node.string()):
            message = f"K3s writes the replacement unescaped into hosts.toml: {problem}"
            yield Hit(
                node, message, "leave backslash and double quote out: no repository name has them"
            )


@rule("K3S062")
def reference_to_missing_group(spec: Spec) -> Iterator[Hit]:
    """A replacement refers to a group that the pattern does not have.

    Go puts nothing in its place. The name after ``$`` is as long as possible: ``$1_mirror`` is the group ``1_mirror``.

    Source: Go 1.22 regexp/regexp.go ``expand``, ``extract``; k3s-io/k3s#11191.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "mirror/$1_copy"  # <- K3S062

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "mirror/${1}_copy"

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "mirror/${1}_copy"
    """
    for _, regexp, pattern, node in readable_rewrites(spec):
        for name in _missing_groups(regexp, node.string()):
            groups = len(regexp.names)
            message = f"Go puts nothing for the group {name!r}: the pattern has {groups or 'no'} group{'s' * (groups != 1)}"
            wanted = with_braces(node.string(), regexp)
            fix = rewritten(spec, node, wanted) if not _missing_groups(regexp, wanted) else None
            yield Hit(node, message, _group_hint(name, regexp, pattern), fix=fix)


@rule("K3S063")
def backslash_reference(spec: Spec) -> Iterator[Hit]:
    r"""A replacement refers to a group with a backslash, which means nothing to Go.

    ``\1`` stays as it is. Moreover, the backslash makes hosts.toml unreadable, and containerd asks only the registry itself.

    Source: Go 1.22 regexp/regexp.go ``expand``; containerd 301026e core/remotes/docker/config/hosts.go:328-333.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/(.*)': 'mirror/\1'  # <- K3S063

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/(.*)': 'mirror/$1'

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              '^rancher/(.*)': 'mirror/${1}'
    """
    for _, pattern, node in rewrites_of(spec):
        if match := _BACKSLASH_GROUP.search(node.string()):
            wanted = _BACKSLASH_GROUP.sub(r"${\1}", node.string())
            message = (
                f"{match[0]!s} is no reference in Go, and the backslash makes hosts.toml unreadable"
            )
            regexp = compiled(pattern)
            is_whole = regexp and not _toml_problem(wanted) and not _missing_groups(regexp, wanted)
            fix = rewritten(spec, node, wanted) if is_whole else None
            yield Hit(node, message, f"write {wanted!r}", fix=fix)


@rule("K3S064")
def overlapping_rewrites(spec: Spec) -> Iterator[Hit]:
    """Two rewrites of a mirror match the same name and make different names of it.

    Only one rewrite is applied, and as they stand in a Go map, it is a random one at each request: pulls succeed and
    fail by chance.

    Source: k3s-io/containerd core/remotes/docker/resolver.go ``withRewritesFromHost``; rancher/wharfie bb7080c
    pkg/registries/registries.go:89; rancher/rke2#3227.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "prod/$1"
              "^(.*)$": "hub/$1"  # <- K3S064

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "prod/$1"
              "^library/(.*)": "hub/$1"
    """
    for name, mirror in mirrors(spec).items():
        for later, (pattern, node, example) in _contests(name, mirror).items():
            message = (
                f"{pattern!r} matches {example!r} too, and the node picks one of the two at random"
            )
            related = ((node, "the other one"),)
            yield Hit(
                later, message, "make the patterns exclude each other", on_key=True, related=related
            )


@rule("K3S066")
def rewrite_never_applied(spec: Spec) -> Iterator[Hit]:
    """A mirror has rewrites, but no endpoint for which they count.

    Rewrites apply to the mirror's endpoints, and never to the registry's own address: not when it comes last by
    itself, and not when it is listed last. An address that only differs in writing, such as one with the port 443, is
    an endpoint of its own.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~259-290; rancher/rke2#6447.

    Bad:
        mirrors:
          registry.example.com:
            endpoint: [https://registry.example.com]
            rewrite:  # <- K3S066
              "^rancher/(.*)": "project/rancher/$1"

    Good:
        mirrors:
          registry.example.com:
            endpoint: ["https://registry.example.com:443"]
            rewrite:
              "^rancher/(.*)": "project/rancher/$1"
    """
    written = hosts(spec, NodeFlags())
    for name, mirror in mirrors(spec).items():
        table, texts = (
            mirror.get("rewrite"),
            [node.string() for node in mirror.get("endpoint").items],
        )
        is_ignored = any(endpoint_name(text) is None for text in texts)
        applied = name in written and any(each.rewrites for each in written[name].endpoints)
        is_complete = {key for key, _ in mirror.fields()} <= {"endpoint", "rewrite"}
        if table.entries and not applied and not is_ignored and is_complete:
            reason = (
                f"its only endpoint is {name!r} itself" if texts else "the mirror has no endpoint"
            )
            hint = (
                f"write https://{name}:443 as the endpoint"
                if texts and ":" not in name
                else "add another endpoint"
            )
            yield Hit(table, f"no request is ever rewritten: {reason}", hint, on_key=True)


@rule("K3S067")
def invalid_rewritten_name(spec: Spec) -> Iterator[Hit]:
    """A rewrite makes something that is no repository name.

    The replacement is a path on the endpoint: lower case, without host, tag, or slash at its ends. A registry refuses
    other names. Only a superfluous slash is tolerated in the URL, but not in the scope of a token: it is a warning.

    Source: rancher/wharfie bb7080c pkg/registries/registries.go:96-100; distribution/reference reference.go (grammar).

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "Rancher/$1"  # <- K3S067
              "^library/(.*)": "/hub/$1"  # <- K3S067

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "rancher-copy/$1"

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "Rancher/$1"
              "^library/(.*)": "hub/$1"
    """
    for mirror, regexp, pattern, node in readable_rewrites(spec):
        if _missing_groups(regexp, node.string()) or _BACKSLASH_GROUP.search(node.string()):
            continue
        for name in names_on(mirror, pattern):
            result = regexp.replace_all(name, node.string())
            if result != name and (problem := _name_problem(spec, mirror, result)):
                is_only_slash = is_name("/".join(filter(None, result.split("/"))))
                severity = Severity.WARNING if is_only_slash and "://" not in result else None
                message = f"{name!r} becomes {result!r}: {problem}"
                trimmed = node.string().strip("/")
                made = [regexp.replace_all(each, trimmed) for each in names_on(mirror, pattern)]
                is_enough = severity and not any(_name_problem(spec, mirror, each) for each in made)
                fix = rewritten(spec, node, trimmed) if is_enough else None
                yield Hit(node, message, _PATH_HINT, severity=severity, fix=fix)
                break


def _toml_problem(text: str) -> str:
    """What happens to ``text`` between double quotes in TOML; empty when it stays what it is."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return ""
    import tomllib  # noqa: PLC0415 - 4 ms for the few texts that need it

    try:
        read = tomllib.loads(f'text = "{text}"')
    except tomllib.TOMLDecodeError:
        return "the file is unreadable, and containerd asks only the registry itself"
    return "" if read == {"text": text} else f"containerd reads {read.get('text')!r}"


def _missing_groups(regexp: GoRegexp, replacement: str) -> tuple[str, ...]:
    names = (name for _, name in references(replacement) if name is not None)
    return tuple(name for name in dict.fromkeys(names) if not regexp.has_group(name))


def _group_hint(name: str, regexp: GoRegexp, pattern: str) -> str:
    number = re.match(r"[0-9]+", name)
    if number and number[0] != name and regexp.has_group(number[0]):
        return f"write ${{{number[0]}}}{name[number.end() :]}"
    return f"write a group, as in {'(.*)' if not regexp.names else pattern!r}, or leave the reference out"


def _contests(name: str, mirror: Node) -> dict[Node, tuple[str, Node, str]]:
    """Rewrites that compete with an earlier one, with that one and a repository name for which they do."""
    table = [(*each, compiled(each[0])) for each in mirror.get("rewrite").fields()]
    examples = dict.fromkeys(
        example for pattern, _, _ in table for example in islice(names_on(name, pattern), _EXAMPLES)
    )
    found: dict[Node, tuple[str, Node, str]] = {}
    for example in examples:
        changed = [
            (pattern, node, result)
            for pattern, node, regexp in table
            if regexp and (result := regexp.replace_all(example, node.string())) != example
        ]
        for (pattern, node, one), (_, later, other) in pairwise(changed):
            if one != other:
                found.setdefault(later, (pattern, node, example))
    return found


def _name_problem(spec: Spec, mirror: str, result: str) -> str:
    if not result:
        return "nothing is left of the name"
    if "://" in result:
        return "a URL is no repository name"
    endpoints = mirrors(spec)[mirror].get("endpoint").items
    if result.partition("/")[0] in {endpoint_name(node.string()) for node in endpoints}:
        return "the host of the endpoint stands in front of the path once more"
    if result != "/".join(filter(None, result.split("/"))):
        return "the superfluous slash stays in the scope of the token"
    return name_problem(DOCKER_HUB, result)
