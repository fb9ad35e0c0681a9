"""The page on a port of this machine, closed to pages of other sites."""

import ipaddress
import socket
from urllib.parse import urlsplit

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from dlwa.ddsp import ports
from dlwa.ddsp.studio._page import CSS, THEME

LARGEST_FILE = "2gb"


class OnlyOurselves:
    """Answers only what was asked under our own name, from our own page.

    A page of another site can make a browser send requests to loopback (cross-origin), or make its
    own name lead there (DNS rebinding). Both are told by the headers Host and Origin.

    Args:
        app: the ASGI application behind.
        names: host names under which we are known.
    """

    def __init__(self, app, names):
        self._app, self._names = app, frozenset(names)

    async def __call__(self, scope, receive, send):
        """Pass a request on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            headers = {
                key.decode().lower(): value.decode("latin-1") for key, value in scope["headers"]
            }
            host, origin = headers.get("host", ""), headers.get("origin")
            known = _name(f"//{host}") in self._names
            if not known or (origin is not None and urlsplit(origin).netloc != host):
                refusal = PlainTextResponse("This page answers nobody but itself.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def serve(page, host, port, scratch, ready):
    """Serve a page until a signal.

    Args:
        page: gradio.Blocks.
        host: address to listen at.
        port: TCP port; 0 takes a free one.
        scratch: folder whose sounds may be heard.
        ready: called with the address of the page.

    Raises:
        PortError: if the port is taken.
    """
    with ports.binding():
        listening = socket.create_server((host, port), family=_family(host))
    with listening:
        number = listening.getsockname()[1]
        app = gr.mount_gradio_app(
            FastAPI(openapi_url=None),
            page.queue(default_concurrency_limit=1, max_size=20),
            path="/",
            allowed_paths=[str(scratch)],
            max_file_size=LARGEST_FILE,
            footer_links=[],
            css=CSS,
            theme=THEME,
        )
        app.add_middleware(OnlyOurselves, names=_names(host))
        ready(f"http://{host}:{number}/" if ":" not in host else f"http://[{host}]:{number}/")
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[listening])


def _names(host):
    """What a browser may call us."""
    local = {"127.0.0.1", "localhost", "::1"}
    if host == "localhost" or ipaddress.ip_address(host).is_loopback:
        return local | {host}
    return local | {host, socket.gethostname(), socket.getfqdn()}


def _name(url):
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET
