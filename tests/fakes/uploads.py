"""Upload sessions of blobs: open or mount, append, finish, ask, cancel.

The state of a session is the offset in its Location, which changes with every chunk.
"""

import re

from .errors import ApiError
from .messages import Call, Reply, make_reply
from .options import Api, digest_header, location_header
from .storage import check_digest

SESSION = re.compile(r"/v2/(.+)/blobs/uploads/([^/]+)")


def post_upload(api: Api, call: Call, repository: str) -> Reply:
    """Mount a blob (201), or open a session (202) when that is not asked or not possible."""
    digest, source = call.param("mount") or "", call.param("from") or ""
    if api.options.mount and api.storage.mount_blob(repository, digest, source):
        return _created(api, call, repository, digest)
    session = api.storage.start_upload(repository)
    least = str(api.options.least_chunk)
    told = {"OCI-Chunk-Min-Length": least} if api.options.least_chunk else {}
    return make_reply(202, headers={**_progress(api, call, repository, session), **told})


def get_upload(api: Api, call: Call, repository: str, session: str) -> Reply:
    """Tell how far a session is (204)."""
    if not api.options.resumable:
        _check_state(api, call, repository, session)
    return make_reply(204, headers=_progress(api, call, repository, session))


def patch_upload(api: Api, call: Call, repository: str, session: str) -> Reply:
    """Append a chunk (202)."""
    return _append(api, call, repository, session) or make_reply(
        api.options.patch_status, headers=_progress(api, call, repository, session)
    )


def put_upload(api: Api, call: Call, repository: str, session: str) -> Reply:
    """Append the last bytes, if any, and make the session a blob (201)."""
    digest = check_digest(call.param("digest") or "")
    if refusal := _append(api, call, repository, session):
        return refusal
    api.storage.finish_upload(repository, session, digest)
    return _created(api, call, repository, digest)


def delete_upload(api: Api, call: Call, repository: str, session: str) -> Reply:
    """Cancel a session (204)."""
    _check_state(api, call, repository, session)
    api.storage.end_upload(repository, session)
    return make_reply(204)


def keep_partial_upload(api: Api, call: Call) -> None:
    """Keep what arrived of a chunk whose connection ended.

    Raises:
        ApiError: There is no such session, or it is at another offset.
    """
    found = SESSION.fullmatch(call.path)
    if found and call.method in ("PATCH", "PUT"):
        repository, session = found.groups()
        offset = _check_state(api, call, repository, session)
        api.storage.append_upload(repository, session, call.body, offset=offset)


def _append(api: Api, call: Call, repository: str, session: str) -> Reply | None:
    if call.headers.get("Content-Type", "application/octet-stream") != "application/octet-stream":
        raise ApiError("UNSUPPORTED", "bad Content-Type")
    try:
        offset = _check_state(api, call, repository, session)
        _check_range(call, offset)
        api.storage.append_upload(repository, session, call.body, offset=offset)
    except ApiError as refused:
        if refused.status != 416:
            raise
        return refused.reply(**_progress(api, call, repository, session))
    return None


def _check_state(api: Api, call: Call, repository: str, session: str) -> int:
    size = api.storage.upload_size(repository, session)
    state = call.param("_state") or ""
    if not state.isdecimal():
        raise ApiError("BLOB_UPLOAD_INVALID")
    if int(state) != size:
        raise ApiError("RANGE_INVALID" if api.options.resumable else "BLOB_UPLOAD_INVALID")
    return size


def _check_range(call: Call, offset: int) -> None:
    if (sent := call.headers.get("Content-Range")) is None:
        return
    found = re.fullmatch(r"(\d+)-(\d+)", sent)
    if not found or int(found[1]) != offset:
        raise ApiError("RANGE_INVALID")
    if int(found[2]) - int(found[1]) + 1 != len(call.body):
        raise ApiError("SIZE_INVALID")


def _progress(api: Api, call: Call, repository: str, session: str) -> dict[str, str]:
    size = api.storage.upload_size(repository, session)
    path = f"/v2/{repository}/blobs/uploads/{session}?_state={size}"
    shown = {"Range": f"0-{max(size - 1, 0)}", "Docker-Upload-UUID": session}
    return {**location_header(api, call, path), **shown}


def _created(api: Api, call: Call, repository: str, digest: str) -> Reply:
    location = location_header(api, call, f"/v2/{repository}/blobs/{digest}")
    return make_reply(201, headers={**location, **digest_header(api, digest)})
