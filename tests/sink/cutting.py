"""A wire that breaks at a certain word, as a network does at the worst moment."""

from __future__ import annotations

import asyncio

from tests.loopback import Loopback

_END = bytes([5])
"""The last packet of an answer in ClickHouse's native protocol."""


class CuttingWire(Loopback):
    """Passes bytes on to `target`, a ClickHouse on a port of 127.0.0.1, until the client says
    `word` for the `nth` time: then it cuts the connection, before the server hears that or, if it
    `hears`, once it has done it. It comes back at once, or `stays_away`."""

    def __init__(
        self, target: int, word: bytes, nth: int, *, hears: bool, stays_away: bool = False
    ) -> None:
        super().__init__()
        self._target = target
        self._word = word
        self._left = nth
        self._hears = hears
        self._stays_away = stays_away
        self.has_cut = False

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
            rest = asyncio.create_task(_copy(client, forth))  # a statement may come in pieces
            await asyncio.wait_for(_answered(server), 60)
            rest.cancel()
        forth.close()
        back.close()

    def _cuts(self, data: bytes) -> bool:
        if self.has_cut:
            return False
        self._left -= data.count(self._word)
        self.has_cut = self._left <= 0
        return self.has_cut


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        to.write(data)


async def _answered(server: asyncio.StreamReader) -> None:
    """It has done what it was told, and nobody hears of it."""
    heard = b""
    while not heard.endswith(_END):
        heard += await server.read(65_536)
