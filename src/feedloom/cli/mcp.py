"""``feedloom mcp``: serve the tools to an agent."""

from __future__ import annotations

import asyncio
import secrets
import socket
from importlib.util import find_spec

import click

from feedloom.cli.options import database_option
from feedloom.errors import InputError

_DEFAULT_PORT = 8765


@click.command(
    epilog="Examples:\n\n\b\n  feedloom mcp\n  feedloom mcp --toolsets context,warehouse\n"
    "  feedloom mcp --http --port 8765"
)
@click.option("--http", is_flag=True, help="Serve HTTP on this machine, in place of stdin and stdout.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_DEFAULT_PORT, show_default=True, help="With --http; 0: any free."
)
@click.option("--toolsets", metavar="NAME[,NAME]", help="Which tools; `feedloom tool list` shows all, `all` takes all.")
@click.option("--tools", metavar="NAME[,NAME]", help="Only these tools of them.")
@click.option("--writes", is_flag=True, help="Offer tools that change something at a vendor, after an approval.")
@database_option
def mcp(*, http: bool, port: int, toolsets: str | None, tools: str | None, writes: bool, to: str | None) -> None:
    """Serve the tools over the Model Context Protocol until the client leaves.

    Those of the usual toolsets read and change nothing. Writes need --writes, and writes = true under [feedloom.tools]
    in .dlt/config.toml; each is a plan first, which a person approves in the client's dialog or by `feedloom approve`.

    The bearer token of --http is the setting mcp_token in [feedloom] (env var FEEDLOOM__MCP_TOKEN); without one, a new
    one is made and shown on stderr.
    """
    from feedloom.tools.choosing import chosen_tools  # noqa: PLC0415 - the tools are imported on use

    registry = chosen_tools(toolsets, only=tools, writes=writes)
    if writes:
        _check_writes()
    if find_spec("mcp") is None:
        raise InputError("the package mcp is not installed", hint="pip install 'feedloom[mcp]'", code="FL222")
    from feedloom.tools.server import make_server, serve_stdio  # noqa: PLC0415 - mcp takes a second to import

    server = make_server(registry, to=to, writes=writes)
    if not http:
        asyncio.run(serve_stdio(server))
        return
    with _listening(port) as listener:
        _serve_http(server, listener, has_dialogs=writes)


def _check_writes() -> None:
    """Refuse to start where settings or policy do not allow what --writes asks for."""
    from feedloom.tools.workspace import need_writes  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.writing.policy import read_policy  # noqa: PLC0415 - the same

    need_writes()
    read_policy()


def _serve_http(server: object, listener: socket.socket, *, has_dialogs: bool) -> None:
    from feedloom.config import find_text  # noqa: PLC0415 - dlt is imported on use
    from feedloom.tools.server import HOST, say, serve_http  # noqa: PLC0415 - mcp takes a second to import

    found = find_text("feedloom", "mcp_token")
    token = secrets.token_urlsafe(24) if found is None else str(found.value)
    say(f"serving http://{HOST}:{listener.getsockname()[1]}/mcp; stop it with Ctrl-C")
    say(f"bearer token: {token}" if found is None else f"bearer token: from {found.origin}")
    serving = serve_http(server, listener=listener, token=token, has_dialogs=has_dialogs)  # type: ignore[arg-type]  # its class needs mcp
    asyncio.run(serving)


def _listening(port: int) -> socket.socket:
    # Named as TCP, its connections send each part of an answer at once: asyncio asks for the name (``TCP_NODELAY``).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} can't be used: {error.strerror}", hint="choose another with --port, or 0", code="FL240"
        ) from error
    listener.listen()
    return listener
