"""What to say about a document that is not there: which one may be meant, or where it stands instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Peer
from planner.core.text import closest
from planner.specs.eksa.documents import API_VERSION, head, is_ours, sibling, siblings
from planner.specs.eksa.rules.reading import deepest

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./:@-]*[A-Za-z0-9]")


def missing(spec: Spec, peers: Sequence[Peer], ref: Node, what: str, role: Sequence[str]) -> Hit:
    """A reference that finds nothing. ``what`` says what comes of it; ``role`` are the kinds that could have been meant."""
    kind, name = ref.get("kind").string() or role[0], ref.get("name").string()
    place = deepest(ref, "name")
    if not name:
        return Hit(place, f"this reference to a {kind} has no name: {what}", "add name")
    message = f"there is no {kind} {name!r} in this file: {what}"
    if hit := _elsewhere(peers, place, message, (kind, name)):
        return hit
    if hit := _of_other_kind(spec, ref, place, message, role):
        return hit
    named = {_name(each): each for each in siblings(spec, kind)}
    if near := closest(name, filter(None, named)):
        about = ((_name_node(named[near]), "this one is there"),)
        hint = f"did you mean {near!r}?"
        return Hit(place, message, hint, related=about, fix=renamed(place, near))
    if hit := _unseen(spec, place, message, (kind, name)):
        return hit
    known = ", ".join(filter(None, named))
    hint = f"add a document of kind {kind} with metadata.name {name}"
    return Hit(place, message, f"{hint}, or name one of {known}" if known else hint)


def renamed(node: Node, text: str) -> Fix | None:
    """The fix that writes ``text`` instead; None when there is no text to replace, or none that needs no quotes."""
    is_text = node.kind == "scalar" and bool(node.text) and "\n" not in node.text
    if not is_text or not _PLAIN.fullmatch(text):
        return None
    return Fix(f"write {text}", (Edit(node.span, text),))


def _elsewhere(
    peers: Sequence[Peer], place: Node, message: str, key: tuple[str, str]
) -> Hit | None:
    """The document stands in another file of the same cluster."""
    for peer in peers:
        if peer.is_near and peer.family == "eksa" and (found := sibling(peer.spec, *key)):
            where = (peer.related(_name_node(found), "it stands here"),)
            hint = f"EKS Anywhere reads one file: copy the document from {peer.spec.file} into it, after a line ---"
            return Hit(place, message, hint, elsewhere=where)
    return None


def _of_other_kind(
    spec: Spec, ref: Node, place: Node, message: str, role: Sequence[str]
) -> Hit | None:
    """A document of the right name plays the same role, but is of another kind."""
    kind, name = ref.get("kind"), ref.get("name").string()
    for other in role:
        if other != kind.string() and (found := sibling(spec, other, name)):
            about = ((found.get("kind"), f"this is a {other}"),)
            hint = f"{name!r} is a {other}: write that as kind, or name a {kind.string()}"
            return Hit(place, message, hint, related=about)
    return None


def _unseen(spec: Spec, place: Node, message: str, key: tuple[str, str]) -> Hit | None:
    """A document of the right name is there, but its kind or apiVersion hides it."""
    kind, name = key
    for each in map(head, spec.documents):
        if _name(each) != name:
            continue
        written = each.get("kind")
        if written.string() == kind and not is_ours(each):
            where = each.get("apiVersion") or written
            about = ((where, f"not {API_VERSION}"),)
            hint = f"the document of that kind and name needs apiVersion: {API_VERSION}"
            return Hit(place, message, hint, related=about)
        if written.string() != kind and closest(written.string(), (kind,)):
            about = ((written, "EKS Anywhere does not know this kind"),)
            return Hit(place, message, f"write kind: {kind} in its document", related=about)
    return None


def _name(document: Node) -> str:
    return _name_node(document).string()


def _name_node(document: Node) -> Node:
    return document.get("metadata", "name")
