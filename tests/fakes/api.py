"""The registry API, call by call: strict where the OCI specification is, else as distribution.

Where distribution 2.8.2 is laxer or odder than this: it takes chunks out of order and fails at
the end, answers a Docker list with its linux/amd64 child and a Docker manifest with schema 1 when
only other types are accepted, refuses to delete a tag, does not page tags, and ignores an ``n``
that is no number.
"""

import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from .content import OCI_INDEX, OCI_MANIFEST, entry_of, subject_of
from .errors import ApiError
from .messages import TEXT, Call, Reply, make_reply
from .options import Api, digest_header, location_header
from .ranges import slice_reply
from .storage import check_digest
from .uploads import (
    SESSION,
    delete_upload,
    get_upload,
    patch_upload,
    post_upload,
    put_upload,
)

_MAX_ENTRIES = 1000
_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_NAME}(?:/{_NAME})*")
_REFERENCE = re.compile(r"\w[\w.-]{0,127}|\w+:\w+", re.ASCII)
_REFUSED_TYPE = {
    OCI_MANIFEST: "OCI manifest found, but accept header does not support OCI manifests",
    OCI_INDEX: "OCI index found, but accept header does not support OCI indexes",
}


def answer(api: Api, call: Call) -> Reply:
    """Do what a call asks and return the answer."""
    if api.options.largest_body is not None and len(call.body) > api.options.largest_body:
        return make_reply(413, b"<html>too large</html>\n", media_type="text/html")
    for pattern, methods in _ROUTES:
        if found := pattern.fullmatch(call.path):
            try:
                reply = _dispatch(api, call, methods, found.groups())
            except ApiError as refused:
                reply = refused.reply()
            break
    else:
        reply = _not_found()
    headers = {**reply.headers, "Docker-Distribution-Api-Version": "registry/2.0"}
    return Reply(reply.status, headers, reply.body)


def _dispatch(
    api: Api, call: Call, methods: "dict[str, _Operation]", groups: tuple[str, ...]
) -> Reply:
    operation = methods.get("GET" if call.method == "HEAD" else call.method)
    if operation is None:
        allowed = ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))
        return make_reply(405, b"Method not allowed\n", {"Allow": allowed}, TEXT)
    if groups and not _REPOSITORY.fullmatch(groups[0]):
        raise ApiError("NAME_INVALID", groups[0])
    return operation(api, call, *groups)


def _not_found() -> Reply:
    return make_reply(404, b"404 page not found\n", media_type=TEXT)


def _get_root(api: Api, call: Call) -> Reply:
    return make_reply(200, b"{}")


def _get_catalog(api: Api, call: Call) -> Reply:
    names, link = _page(api, call, api.storage.names())
    return _json({"repositories": names}, link)


def _get_tags(api: Api, call: Call, repository: str) -> Reply:
    tags = api.storage.tags(repository)
    page, link = _page(api, call, tags)
    return _json({"name": repository, "tags": page if tags else None}, link)


def _page(api: Api, call: Call, entries: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    asked = call.param("n")
    if asked is not None and not (asked.isdecimal() and int(asked) <= _MAX_ENTRIES):
        raise ApiError("PAGINATION_NUMBER_INVALID", {"n": asked})
    size = api.options.page_size if asked is None else min(int(asked), api.options.page_size)
    last = call.param("last")
    rest = [entry for entry in entries if last is None or entry > last]
    if not 0 < size < len(rest):
        return rest[:size], {}
    query = urlencode({"last": rest[size - 1], "n": size})
    return rest[:size], {"Link": f'<{call.path}?{query}>; rel="next"'}


def _json(content: object, headers: dict[str, str]) -> Reply:
    return make_reply(200, json.dumps(content, separators=(",", ":")).encode() + b"\n", headers)


def _get_manifest(api: Api, call: Call, repository: str, reference: str) -> Reply:
    if not _REFERENCE.fullmatch(reference):
        return _not_found()
    manifest = api.storage.manifest(repository, reference)
    if call.headers.get("If-None-Match") == f'"{manifest.digest}"':
        return make_reply(304)
    accepts = ",".join(call.headers.get_all("Accept", []))
    accepted = {each.partition(";")[0].strip() for each in accepts.split(",")}
    if manifest.media_type not in accepted:
        raise ApiError("MANIFEST_UNKNOWN", message=_REFUSED_TYPE.get(manifest.media_type, ""))
    headers = {"Content-Type": manifest.media_type, **digest_header(api, manifest.digest)}
    return make_reply(200, manifest.body, headers)


def _put_manifest(api: Api, call: Call, repository: str, reference: str) -> Reply:
    if not _REFERENCE.fullmatch(reference):
        return _not_found()
    media_type = call.headers.get("Content-Type", "")
    api.storage.check_manifest(repository, call.body, media_type)
    digest = api.storage.put_manifest(repository, reference, call.body, media_type)
    location = location_header(api, call, f"/v2/{repository}/manifests/{digest}")
    subject = subject_of(call.body) if api.options.referrers else ""
    told = {"OCI-Subject": subject} if subject else {}
    return make_reply(201, headers={**location, **digest_header(api, digest), **told})


def _get_referrers(api: Api, call: Call, repository: str, digest: str) -> Reply:
    if not api.options.referrers:
        return _not_found()
    found = {each.digest: each for each in api.storage.referrers(repository, check_digest(digest))}
    page, link = _page(api, call, list(found))
    entries = [entry_of(found[each].body, found[each].media_type) for each in page]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return make_reply(200, json.dumps(index).encode(), link, OCI_INDEX)


def _delete_manifest(api: Api, call: Call, repository: str, reference: str) -> Reply:
    if api.options.deletes == "nothing":
        return make_reply(405)
    if api.options.deletes == "digests" and ":" not in reference:
        raise ApiError("DIGEST_INVALID")
    api.storage.delete_manifest(repository, reference)
    return make_reply(202)


def _get_blob(api: Api, call: Call, repository: str, digest: str) -> Reply:
    asked = call.headers.get("Range", "") if api.options.ranges else ""
    reply = slice_reply(api.storage.blob(repository, digest), asked)
    return Reply(reply.status, {**reply.headers, **digest_header(api, digest)}, reply.body)


def _delete_blob(api: Api, call: Call, repository: str, digest: str) -> Reply:
    api.storage.delete_blob(repository, digest)
    return make_reply(202)


_Operation = Callable[..., Reply]
_ROUTES: tuple[tuple[re.Pattern[str], dict[str, _Operation]], ...] = (
    (re.compile(r"/v2/"), {"GET": _get_root}),
    (re.compile(r"/v2/_catalog"), {"GET": _get_catalog}),
    (re.compile(r"/v2/(.+)/tags/list"), {"GET": _get_tags}),
    (
        re.compile(r"/v2/(.+)/manifests/([^/]+)"),
        {"GET": _get_manifest, "PUT": _put_manifest, "DELETE": _delete_manifest},
    ),
    (re.compile(r"/v2/(.+)/referrers/([^/]+)"), {"GET": _get_referrers}),
    (re.compile(r"/v2/(.+)/blobs/uploads/"), {"POST": post_upload}),
    (
        SESSION,
        {
            "GET": get_upload,
            "PATCH": patch_upload,
            "PUT": put_upload,
            "DELETE": delete_upload,
        },
    ),
    (re.compile(r"/v2/(.+)/blobs/([^/]+)"), {"GET": _get_blob, "DELETE": _delete_blob}),
)
