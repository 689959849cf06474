"""A connection whose waiting ends in time."""

from __future__ import annotations

import socket
import struct
import sys

_TIMEVAL = "@ll"
_KERNEL_COUNTS = sys.platform == "linux"  # and says EAGAIN, which is a BlockingIOError
_LATE = "timed out"


class Channel:
    """The bytes of one socket; who waits longer for the next of them than ``wait_at_most`` said, gets a ``TimeoutError``.

    On Linux the kernel counts. A socket with a time-out of Python's own is polled before each read and write, which over many
    small requests takes a twentieth of the time; over TLS there is no other way, since there Python tries again for ever.
    Source: socket(7), SO_RCVTIMEO and SO_SNDTIMEO; CPython 3.11 Modules/socketmodule.c ``sock_call_impl`` and Modules/_ssl.c
    ``_ssl__SSLSocket_read_impl``.
    """

    def __init__(self, opened: socket.socket, *, is_over_tls: bool) -> None:
        self.is_over_tls = is_over_tls
        self._socket = opened
        self._is_counted = _KERNEL_COUNTS and not is_over_tls
        if self._is_counted:
            opened.settimeout(None)

    def wait_at_most(self, seconds: float) -> None:
        """For the next bytes, from now on."""
        if not self._is_counted:
            self._socket.settimeout(seconds)
            return
        whole, rest = divmod(seconds, 1)
        timeval = struct.pack(_TIMEVAL, int(whole), int(rest * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, timeval)

    def receive(self, most: int) -> bytes:
        """What is there by now; nothing when the connection was closed."""
        try:
            return self._socket.recv(most)
        except BlockingIOError as error:
            raise TimeoutError(_LATE) from error

    def receive_into(self, buffer: memoryview) -> int:
        """The same into a buffer: how many bytes."""
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError as error:
            raise TimeoutError(_LATE) from error

    def send(self, data: memoryview) -> int:
        """As much as is taken by now."""
        try:
            return self._socket.send(data)
        except BlockingIOError as error:
            raise TimeoutError(_LATE) from error

    def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """All of it."""
        try:
            self._socket.sendall(data)
        except BlockingIOError as error:
            raise TimeoutError(_LATE) from error

    def fileno(self) -> int:
        """For ``select`` and ``poll``."""
        return self._socket.fileno()

    def close(self) -> None:
        """For good."""
        self._socket.close()
