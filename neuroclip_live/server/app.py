"""The routes: what is asked over HTTP and WebSocket, checked, and answered as JSON or pictures.

Nothing in a request ever becomes the name of a file: the page's own files are read once, at start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from neuroclip_live.errors import UserError
from neuroclip_live.server.access import COOKIE, Access
from neuroclip_live.server.broadcast import Broadcast, Client, Run
from neuroclip_live.server.page_files import HEADERS, PAGE, PageFiles, error, for_people
from neuroclip_live.server.pictures import FASTEST_FPS, FORMATS, Encoded, Pictures

MAX_BODY = 256 * 1024
"""Bytes of a request: a thousand labels of the longest kind."""
CHANGES_PER_S = 20.0
"""Requests that change something; more are refused for a moment."""
MAX_CLIENTS = 200
_BOUNDARY = "event-frame"


class Served(Run, Protocol):
    """Everything a run is asked by a server; see :class:`~neuroclip_live.server.live_run.LiveRun`."""

    def frame(self) -> npt.NDArray[np.uint8]:
        """Return the event frame of now."""

    def prompts(self) -> list[str]:
        """Return what is asked for."""

    def set_prompts(self, labels: list[str]) -> list[str]:
        """Ask for other words."""

    def teach(self, label: str, seconds: float) -> int:
        """Learn a label."""

    def status(self) -> dict[str, Any]:
        """Return what is counted."""


class App:
    """One run's routes.

    Parameters
    ----------
    run : Served
    access : Access
    stopped : callable
        Returns whether the server is ending; clients are let go then.
    known : callable
        Told host and port of whoever asked for what they may have.
    """

    def __init__(
        self,
        run: Served,
        access: Access,
        stopped: Callable[[], bool],
        known: Callable[[Any], None],
    ) -> None:
        self._run, self._access, self._stopped, self._known = run, access, stopped, known
        self._live = Broadcast(run, MAX_CLIENTS)
        self._pictures = Pictures(run.frame)
        self._watching = 0
        self._allowance = (CHANGES_PER_S, monotonic())
        self._files = PageFiles()
        self.asgi = Starlette(
            routes=[
                *(Route(path, self._page) for path in PAGE),
                Route("/api/v1/status", self._status),
                Route("/api/v1/prompts", self._get_prompts, methods=["GET"]),
                Route("/api/v1/prompts", self._put_prompts, methods=["PUT"]),
                Route("/api/v1/teach", self._teach, methods=["POST"]),
                Route("/api/v1/frames", self._stream),
                WebSocketRoute("/api/v1/live", self._follow),
                WebSocketRoute("/api/v1/frames", self._watch),
            ],
            lifespan=self._lifespan,
        )

    @property
    def watchers(self) -> int:
        """How many listen or look; a page does both."""
        return max(len(self._live), self._watching)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        pump = asyncio.create_task(self._live.pump(self._stopped))
        yield
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump

    # ---- HTTP

    async def _page(self, request: Request) -> Response:
        refused = self._refusal(request)
        front = request.url.path == "/"
        if refused is not None and refused.status_code == 401 and front and for_people(request):
            return self._files.ask_for_token()
        if refused is not None:
            return refused
        token = request.query_params.get("token")
        if front and token is not None:
            # from the address bar into a cookie, so that it stands in no history and no picture of the screen
            answer = RedirectResponse("/", 303, HEADERS)
            if self._access.proven_by(
                token
            ):  # a wrong one takes nothing from whoever showed the right one before
                answer.set_cookie(
                    COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
                )
            return answer
        return self._files.answer(request.url.path)

    async def _status(self, request: Request) -> Response:
        return await self._answer(request, self._read_status)

    async def _read_status(self, _: Any) -> dict[str, Any]:
        status = await asyncio.to_thread(self._run.status)
        return {**status, "clients": len(self._live), "lost_messages": self._live.lost_now()}

    async def _get_prompts(self, request: Request) -> Response:
        async def read(_: Any) -> list[str]:
            return self._run.prompts()

        return await self._answer(request, read)

    async def _put_prompts(self, request: Request) -> Response:
        async def change(labels: Any) -> list[str]:
            if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
                raise UserError('send a list of strings, such as ["a mug", "-a hand"]')
            return await asyncio.to_thread(self._run.set_prompts, labels)

        return await self._answer(request, change, changes=True)

    async def _teach(self, request: Request) -> Response:
        async def learn(wish: Any) -> dict[str, Any]:
            label = wish.get("label") if isinstance(wish, dict) else None
            seconds = wish.get("seconds", 2.0) if isinstance(wish, dict) else None
            if (
                not isinstance(label, str)
                or not isinstance(seconds, int | float)
                or isinstance(seconds, bool)
                or abs(seconds) > sys.float_info.max  # an integer may be larger
            ):
                raise UserError('send {"label": "a mug", "seconds": 2}')
            windows = await asyncio.to_thread(self._run.teach, label, float(seconds))
            return {"label": label, "windows": windows}

        return await self._answer(request, learn, changes=True)

    async def _stream(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        try:
            fps, _ = _wanted(request.query_params.get("fps"), "jpeg")
        except UserError as why:
            return error(400, str(why))
        if self._watching >= MAX_CLIENTS:
            return error(503, "too many watch already")
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        return StreamingResponse(self._parts(fps), media_type=kind, headers=HEADERS)

    async def _parts(self, fps: float) -> AsyncIterator[bytes]:
        async for picture in self._each(fps, "jpeg"):
            size = len(picture.data)
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n"
            yield head.encode() + picture.data + b"\r\n"

    # ---- WebSocket

    async def _follow(self, socket: WebSocket) -> None:
        if await self._turned_away(socket):
            return
        with self._live.client() as client:
            if client is None:
                await socket.close(1013, "too many listen already")
                return
            await socket.accept()
            await _until_gone(socket, self._tell(socket, client))

    async def _tell(self, socket: WebSocket, client: Client) -> None:
        while not self._stopped():
            with contextlib.suppress(TimeoutError):
                text = await asyncio.wait_for(client.queue.get(), 0.5)
                await socket.send_text(text)

    async def _watch(self, socket: WebSocket) -> None:
        if await self._turned_away(socket):
            return
        try:
            fps, form = _wanted(socket.query_params.get("fps"), socket.query_params.get("format", "png"))
        except UserError as why:
            await socket.close(1008, str(why)[:120])
            return
        if self._watching >= MAX_CLIENTS:
            await socket.close(1013, "too many watch already")
            return
        await socket.accept()
        await _until_gone(socket, self._show(socket, fps, form))

    async def _show(self, socket: WebSocket, fps: float, form: str) -> None:
        async for picture in self._each(fps, form):
            await socket.send_bytes(picture.data)

    async def _each(self, fps: float, form: str) -> AsyncIterator[Encoded]:
        """Give pictures at a rate; whoever takes longer than that gets fewer, never older ones."""
        self._watching += 1
        try:
            due = monotonic()
            while not self._stopped():
                try:
                    yield await self._pictures.newest(form, fps)
                except UserError:  # nothing to show yet
                    await asyncio.sleep(0.2)
                due = max(due + 1 / fps, monotonic() - 1 / fps)
                await asyncio.sleep(max(0.0, due - monotonic()))
        finally:
            self._watching -= 1

    async def _turned_away(self, socket: WebSocket) -> bool:
        refusal = self._access.refusal(socket)
        if refusal is not None:
            await socket.close(1008, refusal[1][:120])
        else:
            self._known(socket.scope.get("client"))
        return refusal is not None

    # ---- what all requests have in common

    def _refusal(self, request: Request, *, changes: bool = False) -> Response | None:
        refusal = self._access.refusal(request, changes=changes)
        if refusal is not None:
            return error(*refusal)
        self._known(request.scope.get("client"))
        return error(429, "too many changes: wait a moment") if changes and not self._may_change() else None

    def _may_change(self) -> bool:
        left, at = self._allowance
        now = monotonic()
        left = min(CHANGES_PER_S, left + (now - at) * CHANGES_PER_S)
        self._allowance = (max(0.0, left - 1), now)
        return left >= 1

    async def _answer(
        self, request: Request, work: Callable[[Any], Awaitable[Any]], *, changes: bool = False
    ) -> Response:
        refused = self._refusal(request, changes=changes)
        if refused is not None:
            return refused
        try:
            body = await _body(request) if changes else None
            return JSONResponse(await work(body), headers=HEADERS)
        except UserError as why:
            return error(400, str(why))
        except _TooLarge:
            return error(413, f"at most {MAX_BODY} bytes")


class _TooLarge(Exception):
    pass


async def _body(request: Request) -> Any:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise _TooLarge
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise UserError("this is no JSON") from None


def _wanted(fps: str | None, form: str) -> tuple[float, str]:
    if form not in FORMATS:
        raise UserError(f"format {form[:20]!r}: choose one of {', '.join(FORMATS)}")
    try:
        rate = float(fps) if fps is not None else 25.0
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= FASTEST_FPS:
        raise UserError(f"fps {str(fps)[:20]!r}: give 0.1 to {FASTEST_FPS:g}")
    return rate, form


async def _until_gone(socket: WebSocket, work: Any) -> None:
    """Do the work until the client leaves; whatever it sends meanwhile is thrown away."""

    async def listen() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return

    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(listen())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(1001)
