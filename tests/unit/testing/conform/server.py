"""A server that answers whatever a test wants."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from msgspec import Struct, field

from dragoman.testing.conform.server import Server, open_server

Answer = tuple[int, str, bytes]
"""Status, content type and body."""
JSON, SSE, LINES = "application/json", "text/event-stream; charset=utf-8", "application/x-ndjson"


class Asked(Struct):
    """What one request was."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@contextmanager
def serving(answer: Callable[[Asked], Answer], key: str = "") -> Generator[Server]:
    """Serve on the loopback interface until the block ends; a status of 0 closes the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, kind, body = answer(Asked(self.command, self.path, headers, self.rfile.read(size)))
            if status:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield open_server(f"http://127.0.0.1:{server.server_address[1]}", key, 30)
        finally:
            server.shutdown()
            thread.join()
