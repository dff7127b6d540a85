"""The explorer's server: a generator that a page on this computer can ask for pictures."""

import base64
import io
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fashion_gan import latents as latent_space
from fashion_gan import pictures
from fashion_gan.errors import InputError
from fashion_gan.explorer import page
from fashion_gan.explorer.guard import BROKEN_OFF, POLICY, Guard, read_json, refused
from fashion_gan.explorer.nearest import NearestImages
from fashion_gan.explorer.run_page import run_facts, run_file
from fashion_gan.explorer.wanted import MAX_PICTURES, MAX_SEED, Wanted
from fashion_gan.generator import Generator
from fashion_gan.latents import Latents
from fashion_gan.runs import Run

MAX_WAITING = 256  # requests at once; the next ones are told to come again
FILM_PIXELS = 224  # of a film's longer side, about
FRAME_SECONDS = 0.08


def make_app(name: str, generator: Generator, run: Run | None = None, *, shipped: bool = False) -> Starlette:
    """The web application.

    Args:
        name: what the page calls the model.
        generator: what draws.
        run: its run's folder, where its film, curves and figures are to be shown.
        shipped: whether the model comes with fashion-gan.
    """
    explorer = Explorer(name, generator, run, NearestImages(run, shipped=shipped))
    answers = {
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
            *(Route(f"/api/{path}", explorer.answer(work), methods=["POST"]) for path, work in answers.items()),
            Route("/run/{name}", explorer.show_run_file),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            InputError: lambda request, error: refused(400, str(error)),
            HTTPException: lambda request, error: refused(error.status_code, error.detail, error.headers),
            Exception: lambda request, error: refused(500, "the server failed; its terminal says how"),
        },
    )


class Explorer:
    """What each address answers."""

    def __init__(self, name: str, generator: Generator, run: Run | None, nearest: NearestImages) -> None:
        self._generator, self._run, self._nearest = generator, run, nearest
        self._about = page.about(name, generator, served=True)
        self._waiting = 0
        # One at a time: ONNX Runtime spreads a batch over all cores by itself, and memory stays that of one batch.
        self._one = anyio.CapacityLimiter(1)

    async def show_page(self, request: Request) -> Response:
        run = None if self._run is None else run_facts(self._run)
        return HTMLResponse(page.render(self._about, ["server_engine.js"], POLICY, run=run))

    async def show_about(self, request: Request) -> Response:
        return JSONResponse({**self._about, "limits": {"pictures": MAX_PICTURES, "seed": MAX_SEED}})

    async def show_run_file(self, request: Request) -> Response:
        path = None if self._run is None else run_file(self._run, request.path_params["name"])
        if path is None:
            raise HTTPException(404, "there is no such file")
        return FileResponse(path)

    def answer(self, work: Callable[[Wanted], Response]) -> Callable[[Request], Awaitable[Response]]:
        """A route's function: reads what is wanted, waits for its turn and works it out beside the event loop."""

        async def respond(request: Request) -> Response:
            wanted = Wanted(await read_json(request), self._generator.latent_dim)
            if self._waiting >= MAX_WAITING:
                raise HTTPException(503, f"over {MAX_WAITING} requests are waiting: ask again in a moment")
            self._waiting += 1
            try:
                async with self._one:
                    if await request.is_disconnected():
                        raise HTTPException(400, BROKEN_OFF)
                    return await anyio.to_thread.run_sync(work, wanted)
            finally:
                self._waiting -= 1

        return respond

    def draw(self, wanted: Wanted) -> Response:
        """The pictures of a seed, as ``fashion-gan generate`` draws them."""
        latents = self._generator.latents(wanted.count, wanted.seed, wanted.number("truncation", 1.0))
        return self._drawn(latents, wanted.label)

    def vary(self, wanted: Wanted) -> Response:
        """Neighbours of a latent."""
        latent, strength = wanted.latent("latent"), wanted.number("strength", 0.3)
        return self._drawn(self._generator.vary(latent, strength, wanted.count, wanted.seed), wanted.label)

    def walk(self, wanted: Wanted) -> Response:
        """Pictures on the way between two latents; in the middle the class changes to the second one's."""
        frames = wanted.whole("frames", 2, MAX_PICTURES, 16)
        latents = latent_space.walk(wanted.latent("first"), wanted.latent("second"), frames)
        ends = wanted.labels(2)
        return self._drawn(latents, ends and [ends[2 * frame >= frames - 1] for frame in range(frames)])

    def decode(self, wanted: Wanted) -> Response:
        """The pictures of given latents."""
        latents = wanted.latents
        return self._drawn(latents, wanted.labels(len(latents)))

    def nearest(self, wanted: Wanted) -> Response:
        """The training images nearest to the picture of the first latent."""
        return JSONResponse(self._nearest.answer(self._images(wanted)[0]))

    def save_npz(self, wanted: Wanted) -> Response:
        """Pictures, their latents and their labels as a file for NumPy."""
        latents = wanted.latents
        arrays = {"images": self._images(wanted), "latents": latents}
        labels = self._generator.labels(len(latents), wanted.labels(len(latents)))
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays, **({} if labels is None else {"labels": labels}))
        return _file(file.getvalue(), "application/octet-stream", "pictures.npz")

    def save_gif(self, wanted: Wanted) -> Response:
        """Pictures as a film, there and back."""
        images = self._images(wanted)
        scale = max(1, FILM_PIXELS // max(images.shape[1:3]))
        frames = [pictures.grid(image[np.newaxis], padding=0, scale=scale) for image in images]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.gif"
            pictures.save_gif(path, [*frames, *frames[-2:0:-1]], FRAME_SECONDS, FRAME_SECONDS)
            return _file(path.read_bytes(), "image/gif", path.name)

    def _images(self, wanted: Wanted) -> np.ndarray:
        latents = wanted.latents
        return self._generator.decode(latents, wanted.labels(len(latents)))

    def _drawn(self, latents: Latents, label: Any) -> Response:
        images = self._generator.decode(latents, label)
        labels = self._generator.labels(len(latents), label)
        return JSONResponse(
            {
                "count": len(images),
                "labels": None if labels is None else labels.tolist(),
                "latents": _text(latents.astype("<f4")),
                "pixels": _text(images),
            }
        )


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).data).decode()


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
