"""An emulator on a port of this machine."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from feedloom.emulator.engine import Emulator
from feedloom.errors import InputError, RetryLaterError

HOST = "127.0.0.1"
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 10.0


class _Server(uvicorn.Server):
    """Tells when it listens, and takes a signal for the end of its work and not of the process."""

    def __init__(self, *, emulator: Emulator, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                emulator.app,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


@contextmanager
def serve(emulator: Emulator, *, port: int = 0) -> Iterator[str]:
    """Serve *emulator* from a thread; yields its base URL and stops it when the block ends.

    Port 0 takes a free one. Raises InputError when the port is taken, RetryLaterError when the server does not start
    within 10 seconds.
    """
    started = threading.Event()
    with _listening(port) as listener:
        server = _Server(emulator=emulator, on_started=started.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="feedloom-emulator", daemon=True)
        thread.start()
        try:
            if not started.wait(_START_TIMEOUT_S):
                raise RetryLaterError("The emulator did not start in time.", hint="Try again.")
            yield _url(emulator=emulator, listener=listener)
        finally:
            server.should_exit = True
            thread.join(_STOP_TIMEOUT_S)


def run(emulator: Emulator, *, port: int = 0, on_ready: Callable[[str], None]) -> None:
    """Serve *emulator* until SIGINT or SIGTERM; *on_ready* gets its base URL once it listens.

    Has to be called from the main thread. Raises InputError when the port is taken.
    """
    with _listening(port) as listener:
        url = _url(emulator=emulator, listener=listener)
        _Server(emulator=emulator, on_started=lambda: on_ready(url)).run(sockets=[listener])


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # Named as TCP, its connections send each part of an answer at once: asyncio asks for the name (``TCP_NODELAY``).
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as problem:
            raise InputError(
                f"The emulator cannot listen on port {port}: {problem.strerror}.",
                hint="Choose another port, or 0 for any free one.",
            ) from problem
        listener.listen()
        yield listener


def _url(*, emulator: Emulator, listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}{emulator.base_path}"
