"""Check each request's Host header, size and duration, and answer errors as JSON."""

import json
from collections.abc import Mapping

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashion_gan.errors import InputError

MAX_BODY_BYTES = 4_000_000  # room for 256 latent vectors of over 500 numbers each
BODY_SECONDS = 10.0  # time limit for a request to arrive
DISCONNECTED = "the client disconnected"
MAX_MESSAGE_LENGTH = 300
HOSTS = ("127.0.0.1", "localhost", "[::1]")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
# For a run's files, which can come from anybody. A page among them gets an origin of its own and runs no scripts, so it
# cannot ask this server for anything.
RUN_FILE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY + "; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return ``{"error": message}``. A message can quote the client's input, so a long one is shortened."""
    if len(message) > MAX_MESSAGE_LENGTH:
        message = message[: MAX_MESSAGE_LENGTH - 3] + "..."
    # A body that was not read to its end would keep arriving until the connection closes.
    return JSONResponse({"error": message}, status, {**(headers or {}), "connection": "close"})


async def read_json(request: Request) -> object:
    """Read a request's body as JSON, within the limits of size and time.

    The content type must be ``application/json``. A form on another site cannot send that without permission.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "a request must be application/json")
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise HTTPException(413, f"a request must be at most {MAX_BODY_BYTES:,} bytes")
        return json.loads(body)
    except TimeoutError as error:
        raise HTTPException(408, f"a request must arrive within {BODY_SECONDS:g} seconds") from error
    except ClientDisconnect as error:
        raise HTTPException(400, DISCONNECTED) from error
    except (ValueError, RecursionError) as error:
        raise InputError("the request is not valid JSON") from error


class LocalOnly:
    """Middleware that refuses requests to other host names, and adds the security headers to every response.

    DNS rebinding: a malicious site can let its own name point to 127.0.0.1, and the browser then treats this server as
    part of that site. The request's Host header still holds the site's name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        is_local = _host_name(scope) in HOSTS
        app = self.app if is_local else error_response(403, f"host must be one of {', '.join(HOSTS)}")
        await app(scope, receive, send_with_headers)


def _host_name(scope: Scope) -> str:
    """Return the Host header in lower case and without its port."""
    host = Headers(scope=scope).get("host", "").lower()
    has_port = ":" in host.rpartition("]")[2]  # An IPv6 address has colons inside its brackets.
    return host.rpartition(":")[0] if has_port else host
