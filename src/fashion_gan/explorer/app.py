"""The explorer's web application: it serves the page, and draws the pictures that the page asks for."""

import base64
import io
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fashion_gan.arrays import Array, Images, Latents
from fashion_gan.errors import InputError
from fashion_gan.explorer.nearest_images import NearestImages
from fashion_gan.explorer.requests import MAX_PICTURES, MAX_SEED, DrawRequest
from fashion_gan.explorer.run_summary import run_file, summarize_run
from fashion_gan.explorer.security import (
    CONTENT_SECURITY_POLICY,
    DISCONNECTED,
    RUN_FILE_POLICY,
    LocalOnly,
    error_response,
    read_json,
)
from fashion_gan.generator import Generator, LabelsLike
from fashion_gan.latents import walk
from fashion_gan.rendering.images import grid, save_gif
from fashion_gan.runs import Run
from fashion_gan.webpage import page

MAX_WAITING = 256  # requests that may wait for their turn; further ones get status 503
FILM_PIXELS = 224  # approximate length of a film's longer side
FRAME_SECONDS = 0.08


def make_app(name: str, generator: Generator, run: Run | None = None, *, shipped: bool = False) -> Starlette:
    """Build the web application.

    Args:
        name: the model's name on the page.
        generator: draws the pictures.
        run: the generator's run. The page shows its film, curves and metrics.
        shipped: whether the model comes with fashion-gan.
    """
    explorer = Explorer(name, generator, run, NearestImages(run, shipped=shipped))
    actions = {
        "draw": explorer.draw,
        "vary": explorer.vary,
        "walk": explorer.walk,
        "decode": explorer.decode,
        "nearest": explorer.nearest,
        "save/npz": explorer.save_npz,
        "save/gif": explorer.save_gif,
    }
    return Starlette(
        routes=[
            Route("/", explorer.show_page),
            Route("/api/about", explorer.show_about),
            *(Route(f"/api/{path}", explorer.endpoint(action), methods=["POST"]) for path, action in actions.items()),
            Route("/run/{name}", explorer.show_run_file),
        ],
        middleware=[Middleware(LocalOnly)],
        exception_handlers={
            InputError: lambda request, error: error_response(400, str(error)),
            HTTPException: lambda request, error: error_response(error.status_code, error.detail, error.headers),
            Exception: lambda request, error: error_response(500, "the server failed; its terminal shows the error"),
        },
    )


class Explorer:
    """The functions that respond to requests, one for each address."""

    def __init__(self, name: str, generator: Generator, run: Run | None, nearest: NearestImages) -> None:
        self._generator, self._run, self._nearest = generator, run, nearest
        self._about = page.describe(name, generator, served=True)
        self._waiting = 0
        # One request at a time: a batch already uses all cores, and only one batch is in memory.
        self._limiter = anyio.CapacityLimiter(1)

    async def show_page(self, request: Request) -> Response:
        run = None if self._run is None else summarize_run(self._run)
        return HTMLResponse(page.render(self._about, ["server_engine.js"], CONTENT_SECURITY_POLICY, run=run))

    async def show_about(self, request: Request) -> Response:
        return JSONResponse({**self._about, "limits": {"pictures": MAX_PICTURES, "seed": MAX_SEED}})

    async def show_run_file(self, request: Request) -> Response:
        path = None if self._run is None else run_file(self._run, request.path_params["name"])
        if path is None:
            raise HTTPException(404, "there is no such file")
        return FileResponse(path, headers={"content-security-policy": RUN_FILE_POLICY})

    def endpoint(self, action: Callable[[DrawRequest], Response]) -> Callable[[Request], Awaitable[Response]]:
        """Make a route's function. It reads the request, waits for its turn, and runs the action in a thread."""

        async def respond(request: Request) -> Response:
            draw_request = DrawRequest(await read_json(request), self._generator.latent_dim)
            if self._waiting >= MAX_WAITING:
                raise HTTPException(503, f"over {MAX_WAITING} requests are waiting: ask again in a moment")
            self._waiting += 1
            try:
                async with self._limiter:
                    if await request.is_disconnected():
                        raise HTTPException(400, DISCONNECTED)
                    return await anyio.to_thread.run_sync(action, draw_request)
            finally:
                self._waiting -= 1

        return respond

    def draw(self, request: DrawRequest) -> Response:
        """Draw the pictures of a seed, the same ones as ``fashion-gan generate``."""
        latents = self._generator.latents(request.count, request.seed, request.finite_number("truncation", 1.0))
        return self._pictures_response(latents, request.label)

    def vary(self, request: DrawRequest) -> Response:
        """Draw neighbors of a latent vector."""
        latent, strength = request.latent("latent"), request.finite_number("strength", 0.3)
        return self._pictures_response(
            self._generator.vary(latent, strength, request.count, request.seed), request.label
        )

    def walk(self, request: DrawRequest) -> Response:
        """Draw a path between two latent vectors. In the middle, the class changes to that of the second one."""
        frames = request.whole_number("frames", 2, MAX_PICTURES, 16)
        latents = walk(request.latent("first"), request.latent("second"), frames)
        ends = request.labels(2)
        return self._pictures_response(latents, ends and [ends[2 * frame >= frames - 1] for frame in range(frames)])

    def decode(self, request: DrawRequest) -> Response:
        """Draw the pictures of the request's latent vectors."""
        latents = request.latents
        return self._pictures_response(latents, request.labels(len(latents)))

    def nearest(self, request: DrawRequest) -> Response:
        """Find the training images nearest to the picture of the first latent vector."""
        latents = request.latents
        labels = request.labels(len(latents))
        image = self._generator.decode(latents[:1], labels and labels[:1])[0]
        return JSONResponse(self._nearest.answer(image))

    def save_npz(self, request: DrawRequest) -> Response:
        """Return pictures, their latents and their labels as a NumPy file."""
        latents = request.latents
        arrays: dict[str, Array] = {"images": self._draw_images(request), "latents": latents}
        labels = self._generator.labels(len(latents), request.labels(len(latents)))
        if labels is not None:
            arrays["labels"] = labels
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)
        return _download(file.getvalue(), "application/octet-stream", "pictures.npz")

    def save_gif(self, request: DrawRequest) -> Response:
        """Return pictures as a film that plays forward and then backward."""
        images = self._draw_images(request)
        scale = max(1, FILM_PIXELS // max(images.shape[1:3]))
        frames = [grid(image[np.newaxis], padding=0, scale=scale) for image in images]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.gif"
            save_gif(path, [*frames, *frames[-2:0:-1]], FRAME_SECONDS, FRAME_SECONDS)
            return _download(path.read_bytes(), "image/gif", path.name)

    def _draw_images(self, request: DrawRequest) -> Images:
        latents = request.latents
        return self._generator.decode(latents, request.labels(len(latents)))

    def _pictures_response(self, latents: Latents, labels: LabelsLike | None) -> Response:
        images = self._generator.decode(latents, labels)
        label_numbers = self._generator.labels(len(latents), labels)
        return JSONResponse(
            {
                "count": len(images),
                "labels": None if label_numbers is None else label_numbers.tolist(),
                "latents": _to_base64(latents.astype("<f4")),
                "pixels": _to_base64(images),
            }
        )


def _to_base64(values: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(values).data).decode()


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
