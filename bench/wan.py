"""A long way to a registry: a TCP proxy on loopback that lets every byte wait, and no connection be fast.

    python -m bench.wan HOST:PORT   prints the port on which it listens

A connection is accepted at once by the system, so its first bytes wait a round trip more, as for the handshake that they would
have had to wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from bench.tools import ROOT

ROUND_TRIP = 0.040
BYTES_PER_SECOND = 50e6
_CHUNK = 1 << 17
# As much as is on its way at that speed, twice.
_CHUNKS = max(4, int(BYTES_PER_SECOND * ROUND_TRIP * 2 / _CHUNK))

_Parts = asyncio.Queue[tuple[float, bytes]]


@contextlib.contextmanager
def far(host: str) -> Iterator[str]:
    """The address of a proxy in a process of its own, before a registry at ``host``."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.wan", host], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        try:
            if process.stdout is None:
                raise AssertionError("there is a pipe")
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def _serve(host: str) -> None:
    address, _, port = host.partition(":")
    # The loop knows its tasks, and a stream its reader, by weak references alone: what waits for bytes would be collected.
    alive: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        alive.add(task)
        try:
            await between(reader, writer)
        finally:
            alive.discard(task)

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(address, int(port), limit=_CHUNK)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(
                _carry(reader, far_writer, ROUND_TRIP), _carry(far_reader, writer, 0)
            )
        for each in (writer, far_writer):
            each.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_CHUNK)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: float) -> None:
    """One direction of a connection: bytes are due half a round trip after they came, the first ``first`` seconds later."""
    parts: _Parts = asyncio.Queue(_CHUNKS)
    await asyncio.gather(_receive(reader, parts, first), _deliver(parts, writer))


async def _receive(reader: asyncio.StreamReader, parts: _Parts, first: float) -> None:
    now = asyncio.get_running_loop().time
    free = now() + first
    while True:
        try:
            data = await reader.read(_CHUNK)
        except OSError:
            data = b""
        free = max(free, now()) + len(data) / BYTES_PER_SECOND
        await parts.put((free + ROUND_TRIP / 2, data))
        if not data:
            return


async def _deliver(parts: _Parts, writer: asyncio.StreamWriter) -> None:
    now = asyncio.get_running_loop().time
    is_open = True
    while True:
        due, data = await parts.get()
        if (wait := due - now()) > 0:
            await asyncio.sleep(wait)
        try:
            if not data:
                if is_open and writer.can_write_eof():
                    writer.write_eof()
                return
            if is_open:
                writer.write(data)
                await writer.drain()
        except OSError:
            is_open = False  # what still comes is taken, so that the other side can end


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(sys.argv[1]))
