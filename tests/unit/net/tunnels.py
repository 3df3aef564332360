"""Proxies on the loopback interface, as simple as they can be, which write down what they are asked."""

import asyncio
import struct
from collections.abc import Sequence
from ipaddress import ip_address

from tests.unit.net.loopback import Handler

GRANTED = b"HTTP/1.1 200 Connection established\r\nproxy-agent: test\r\n\r\n"
SOCKS_GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


def connecting(asked: list[bytes], port: int, answer: Sequence[bytes] = (GRANTED,)) -> Handler:
    """Answer CONNECT with `answer`, piece by piece, and lead every tunnel to `port` here."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in answer:
            writer.write(piece)
            await writer.drain()
            for _ in range(20):  # so that the other side reads each piece alone
                await asyncio.sleep(0)
        await relay(reader, writer, port)

    return handle


def socks(asked: list[str], port: int, user: str = "", password: str = "") -> Handler:
    """Speak SOCKS 5 and lead every tunnel to `port` here; write down where it should have led."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        methods = await read_short(reader)
        method = 2 if user else 0
        writer.write(bytes([5, method if method in methods else 0xFF]))
        if user and method in methods:
            await reader.readexactly(1)
            given = (await read_short(reader), await read_short(reader))
            refused = given != (user.encode(), password.encode())
            writer.write(bytes([1, refused]))
            if refused:
                return
        asked.append(await read_place(reader))
        writer.write(SOCKS_GRANTED)
        await relay(reader, writer, port)

    return handle


async def read_short(reader: asyncio.StreamReader) -> bytes:
    """Read what has its length before it, in one byte."""
    return await reader.readexactly((await reader.readexactly(1))[0])


async def read_place(reader: asyncio.StreamReader) -> str:
    """Read the end of a SOCKS request: where it should lead, and whether that is a name or an address."""
    kind = (await reader.readexactly(4))[3]
    host = (await read_short(reader)).decode() if kind == 3 else str(ip_address(await reader.readexactly(kind * 4)))
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    return f"{'name' if kind == 3 else 'address'} {host} {port}"


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Carry bytes both ways until one side ends."""
    there, back = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(pour(there, writer))
            await pour(reader, back)
            answer.cancel()
    finally:
        back.transport.abort()


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry bytes one way; a side that breaks has ended."""
    try:
        while data := await source.read(65536):
            sink.write(data)
    except ConnectionError:
        pass
    sink.close()
