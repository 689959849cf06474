"""The errors of the registry API: their codes, status and JSON."""

import json

from .messages import Reply, make_reply

# Source: distribution/distribution v2.8.2, registry/api/v2/errors.go and registry/api/errcode;
# RANGE_INVALID from v3.1.1, where it answers 416 as the OCI specification wants.
_ERRORS = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (404, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "RANGE_INVALID": (416, "invalid content range"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNSUPPORTED": (415, "the operation is unsupported"),
}


class ApiError(Exception):
    """A request that the registry refuses, with one error for each detail, or one without."""

    def __init__(self, code: str, *details: object, message: str = "") -> None:
        """Take the status and the usual message from the code."""
        super().__init__(code)
        self.status, usual = _ERRORS[code]
        error: dict[str, object] = {"code": code, "message": message or usual}
        self._errors = [{**error, "detail": detail} for detail in details] or [error]

    def reply(self, **headers: str) -> Reply:
        """Return the answer; underscores in the names of headers stand for hyphens."""
        body = json.dumps({"errors": self._errors}, separators=(",", ":")).encode() + b"\n"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return make_reply(self.status, body, named)
