"""What a request may be: from this computer, bounded in size and time; and how one is refused."""

import json
from collections.abc import Mapping
from typing import Any

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashion_gan.errors import InputError

MAX_BODY_BYTES = 4_000_000  # 256 latents of over 500 numbers
BODY_SECONDS = 10.0  # for a request to arrive in
BROKEN_OFF = "the request broke off"
LONGEST_MESSAGE = 300
HOSTS = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "content-security-policy": POLICY + "; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """What says no. The message may hold what a client sent: a long one is cut."""
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 3] + "..."
    # What may not have been read to its end would go on arriving for as long as the connection lasts.
    return JSONResponse({"error": message}, status, {**(headers or {}), "connection": "close"})


async def read_json(request: Request) -> Any:
    """The body, bounded in size and time.

    JSON is asked for by name: another site's form cannot send that without asking first.
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
        raise HTTPException(400, BROKEN_OFF) from error
    except (ValueError, RecursionError) as error:
        raise InputError("the request is not JSON that can be read") from error


class Guard:
    """Refuses what names another host, and sets the headers of every answer.

    A site whose name is made to lead to 127.0.0.1 (DNS rebinding) would else be let in by the browser as if it were us.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
        name = host[: host.rfind(":")] if ":" in host.rpartition("]")[2] else host

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        app = self.app if name in HOSTS else refused(403, f"host must be one of {', '.join(HOSTS)}")
        await app(scope, receive, send_guarded)
