"""Runs a model server or a job without a network, as SageMaker's network isolation does. A script of its own.

`python isolation.py COMMAND…` listens where the server should (`SAGEMAKER_BIND_TO_HOST`, `SAGEMAKER_BIND_TO_PORT`),
moves into a network namespace of its own, which has a loopback interface and nothing else, starts the server there as
its child and passes on what arrives at the old socket. Whichever of the two ends, the other does too. Without these
variables the command just runs in such a namespace. Where the kernel allows none, it starts without one, and its log
says so.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_PR_SET_PDEATHSIG = 1
_CHUNK = 65_536


def cut_off() -> None:
    """Move this process into a network namespace with nothing but loopback. Raises OSError: it may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if not hasattr(libc, "unshare"):
        raise OSError(f"{sys.platform} has no network namespaces")
    flags = _CLONE_NEWNET | (_CLONE_NEWUSER if user else 0)  # who is not root needs a user namespace around it
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if user:
        maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
        for name, content in maps.items():
            Path("/proc/self", name).write_text(content)
    with socket.socket() as probe:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _may_be_cut_off() -> bool:
    """Try it in a child: a kernel may refuse halfway, as Ubuntu's does, and from there is no way back."""
    if trial := os.fork():
        return os.waitpid(trial, 0)[1] == 0
    try:
        cut_off()
    except OSError as error:
        print(f"[local cloud] The network stays reachable: no network namespace ({error}).", flush=True)
        os._exit(1)
    os._exit(0)


async def _pass_on(listener: socket.socket, address: tuple[str, int]) -> None:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while content := await reader.read(_CHUNK):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the server does not listen yet
            inner_reader, inner_writer = await asyncio.open_connection(*address)
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        writer.close()

    await (await asyncio.start_server(serve, sock=listener, backlog=1024)).serve_forever()


def main(command: list[str]) -> None:
    """Run the command, cut off from every network, and end with its exit code."""
    if not _may_be_cut_off():
        os.execvp(command[0], command)
    if "SAGEMAKER_BIND_TO_PORT" not in os.environ:  # a job, which nobody asks
        cut_off()
        os.execvp(command[0], command)
    address = (os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    listener = socket.create_server(address)  # this socket stays where it was made
    cut_off()
    relay = os.getpid()
    if not (server := os.fork()):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == relay:
            os.execv(command[0], command)
        os._exit(1)  # the relay has ended already
    signal.signal(signal.SIGTERM, lambda *_: os.kill(server, signal.SIGTERM))
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    asyncio.run(_pass_on(listener, address))


def _end_with(server: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv[1:])
