"""Where a client is sent in place of a server that answers: what can go wrong before there is any HTTP."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

import attrs
import trustme

from g4f_testkit.server import Server
from loopback import Loopback, Reply

MUTE_NAME = "mute.g4f.invalid"


@attrs.frozen
class Reach:
    """How a client gets there: the address, and the proxy."""

    url: str
    proxy: str | None = None


Place = Callable[[Server], AbstractContextManager[Reach]]


@contextmanager
def at_home(server: Server) -> Iterator[Reach]:
    """The server itself."""
    yield Reach(server.url)


@contextmanager
def where_nobody_listens(_: Server) -> Iterator[Reach]:
    """A port that is taken, and refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Reach(f"http://127.0.0.1:{taken.getsockname()[1]}")


@contextmanager
def where_no_name_leads(_: Server) -> Iterator[Reach]:
    """A name that never has an address (RFC 6761)."""
    yield Reach("http://g4f.invalid")


@contextmanager
def where_no_name_is_told(_: Server) -> Iterator[Reach]:
    """A name that is looked up without end, where `test_table.py` sees to that."""
    yield Reach(f"http://{MUTE_NAME}")


@contextmanager
def at_a_stranger(_: Server) -> Iterator[Reach]:
    """TLS with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Loopback(Reply(), tls=context) as stranger:
        yield Reach(stranger.url)


@contextmanager
def by_tls_at_a_plain_port(_: Server) -> Iterator[Reach]:
    """TLS where none is spoken."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Plain) as plain:
        thread = threading.Thread(target=plain.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Reach(f"https://127.0.0.1:{plain.server_address[1]}")
        plain.shutdown()
        thread.join()


@contextmanager
def by_tls_at_a_mute_port(_: Server) -> Iterator[Reach]:
    """A connection, and no handshake."""
    with _listen() as port:
        yield Reach(f"https://127.0.0.1:{port}")


@contextmanager
def past_a_proxy_that_refuses(_: Server) -> Iterator[Reach]:
    """It wants a password before it connects to anybody."""
    with Loopback(Reply(407, {"proxy-authenticate": "Basic"})) as proxy:
        yield Reach("https://g4f.invalid", proxy.url)


@contextmanager
def past_a_proxy_that_answers(server: Server) -> Iterator[Reach]:
    """It wants a password; without TLS its refusal looks like an answer."""
    with Loopback(Reply(407, {"proxy-authenticate": "Basic"})) as proxy:
        yield Reach(server.url, proxy.url)


@contextmanager
def past_a_mute_proxy(_: Server) -> Iterator[Reach]:
    """It takes the connection, and that is all."""
    with _listen() as port:
        yield Reach("https://g4f.invalid", f"http://127.0.0.1:{port}")


@contextmanager
def past_no_proxy(server: Server) -> Iterator[Reach]:
    """Nobody listens where the proxy should be."""
    with where_nobody_listens(server) as nowhere:
        yield Reach(server.url, f"http://{urlsplit(nowhere.url).netloc}")


@contextmanager
def _listen() -> Iterator[int]:
    """Take connections, as the system does, and never look at them."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield mute.getsockname()[1]


class _Plain(socketserver.BaseRequestHandler):
    """Takes a greeting for a bad request."""

    def handle(self) -> None:
        self.request.recv(2**16)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
