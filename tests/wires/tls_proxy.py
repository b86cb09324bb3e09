"""TLS in front of a server that speaks plainly, as a bank's load balancer has it."""

import asyncio
import contextlib
import ssl

from tests.loopback import Loopback


class TlsProxy(Loopback):
    """Ends TLS on a port of its own and passes bytes on to `target`, a port of 127.0.0.1."""

    def __init__(self, context: ssl.SSLContext, target: int) -> None:
        super().__init__(context)
        # A refused handshake is what tests want.
        self._loop.set_exception_handler(lambda *_: None)
        self._target = target
        self.passed = 0
        """Connections that were taken, TLS and all."""

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.passed += 1
        inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(_copy(reader, outer), _copy(inner, writer))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()
