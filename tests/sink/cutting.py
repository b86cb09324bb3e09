"""A wire that breaks at a certain word, as a network does at the worst moment."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

_END = bytes([5])
"""The last packet of an answer in ClickHouse's native protocol."""


class CuttingWire:
    """Passes bytes on to `target`, a ClickHouse on a port of 127.0.0.1, until the client says
    `word` for the `nth` time: then it cuts the connection, before the server hears that or, if it
    `hears`, once it has done it. It comes back at once, or `stays_away`."""

    def __init__(
        self, target: int, word: bytes, nth: int, *, hears: bool, stays_away: bool = False
    ) -> None:
        self._target = target
        self._word = word
        self._left = nth
        self._hears = hears
        self._stays_away = stays_away
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0
        self.has_cut = False

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        started = asyncio.start_server(self._pass, "127.0.0.1", 0)
        server = self._loop.run_until_complete(started)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _pass(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.has_cut and self._stays_away:
            back.close()
            return
        server, forth = await asyncio.open_connection("127.0.0.1", self._target)
        answers = asyncio.create_task(_copy(server, back))
        while (data := await client.read(65_536)) and not self._cuts(data):
            forth.write(data)
        answers.cancel()
        await asyncio.wait([answers])
        if data and self._hears:
            forth.write(data)
            await asyncio.wait_for(_answered(server), 60)
        forth.close()
        back.close()

    def _cuts(self, data: bytes) -> bool:
        if self.has_cut:
            return False
        self._left -= data.count(self._word)
        self.has_cut = self._left <= 0
        return self.has_cut


async def _copy(server: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    while data := await server.read(65_536):
        back.write(data)


async def _answered(server: asyncio.StreamReader) -> None:
    """It has done what it was told, and nobody hears of it."""
    heard = b""
    while not heard.endswith(_END):
        heard += await server.read(65_536)
