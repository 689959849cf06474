"""skopeo: an independent reader and writer of images, with no trace outside its folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import run
from tests.support.programs import require


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a registry.

    ``credentials`` is ``user:password``. ``certificates`` is a folder with ``ca.crt``, and with
    ``client.cert`` and ``client.key`` for mutual TLS; without it, nothing is verified and plain
    HTTP will do.
    """

    credentials: str = ""
    certificates: Path | None = None

    def flags(self, prefix: str = "") -> tuple[str, ...]:
        """Return skopeo's options; ``copy`` tells both sides apart by a prefix."""
        flags = [f"--{prefix}tls-verify={'true' if self.certificates else 'false'}"]
        if self.certificates:
            flags.append(f"--{prefix}cert-dir={self.certificates}")
        if self.credentials:
            flags.append(f"--{prefix}creds={self.credentials}")
        return tuple(flags)


_OPEN = Access()


class Skopeo:
    """Runs skopeo with its own policy, caches and configuration in ``directory``.

    References are skopeo's: ``docker://127.0.0.1:5000/busybox:1``, ``oci:DIR:TAG``,
    ``oci-archive:FILE``, ``dir:DIR``. A failure is a RuntimeError with skopeo's message.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._policy = directory / "policy.json"
        self._policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        (directory / "registries.conf").touch()

    def inspect_raw(self, reference: str, access: Access = _OPEN) -> bytes:
        """Return the bytes of a manifest or index."""
        return self._run("inspect", "--raw", *access.flags(), reference)

    def digest(self, reference: str, access: Access = _OPEN) -> str:
        """Return the digest of a manifest or index, from its bytes."""
        return f"sha256:{hashlib.sha256(self.inspect_raw(reference, access)).hexdigest()}"

    def copy(
        self, source: str, destination: str, *, of: Access = _OPEN, to: Access = _OPEN
    ) -> None:
        """Copy an image, or an index with all that it names, without changing a digest.

        Args:
            source: What to copy.
            destination: Where to.
            of: How to reach a source that is a registry.
            to: How to reach a destination that is a registry.
        """
        options = ("--all", "--preserve-digests", *of.flags("src-"), *to.flags("dest-"))
        self._run("copy", "--quiet", *options, source, destination)

    def _run(self, *arguments: str) -> bytes:
        own = (f"--policy={self._policy}", f"--tmpdir={self._directory}")
        own_registries = f"--registries.d={self._directory}"
        command = (str(require("skopeo")), *own, own_registries, *arguments)
        return run(command, env=self._environment())

    def _environment(self) -> dict[str, str]:
        directory = str(self._directory)
        return {
            "HOME": directory,
            "XDG_DATA_HOME": directory,
            "XDG_RUNTIME_DIR": directory,
            "CONTAINERS_REGISTRIES_CONF": f"{directory}/registries.conf",
            # Root's cache is in /var, except for a root that says it is a user.
            # Source: containers/image v5.23, internal/rootless/rootless.go.
            "_CONTAINERS_ROOTLESS_UID": "1",
        }
