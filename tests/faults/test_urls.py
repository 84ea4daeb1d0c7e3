"""Addresses that a prompt or an answer may name, in all their spellings: which are refused before anybody connects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import g4f
from g4f.context import Timeout
from g4f.credentials import Secret
from g4f.transport import Pool
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.server import Server
from loopback import Loopback, Reply

REFUSED = {
    "this machine": [
        "http://127.0.0.1:{port}/", "http://127.255.255.254:{port}/", "http://0.0.0.0:{port}/", "http://0.1.2.3/",
        "http://localhost:{port}/", "http://LocalHost:{port}/", "http://a.localhost:{port}/",
    ],
    "decimal": ["http://2130706433:{port}/", "http://2852039166/", "http://0:{port}/"],
    "octal": [
        "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://0000177.0.0.1:{port}/",
        "http://127.0.0.01:{port}/",
    ],
    "hexadecimal": [
        "http://0x7f000001:{port}/", "http://0x7f.0x0.0x0.0x1:{port}/", "http://0X7F.1:{port}/", "http://0xa9fea9fe/",
    ],
    "with parts left out": ["http://127.1:{port}/", "http://127.0.1:{port}/", "http://10.1/"],
    "with dots at the end": [
        "http://127.0.0.1.:{port}/", "http://localhost.:{port}/", "http://localhost..:{port}/",
        "http://a.localhost.:{port}/", "http://169.254.169.254.:80/",
    ],
    "in letters that look alike": [
        "http://127。0。0。1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://ⓛocalhost:{port}/",
        "http://ｌｏｃａｌｈｏｓｔ:{port}/", "http://localhoſt:{port}/",  # noqa: RUF001 - which is the point
    ],
    "escaped": [
        "http://127%2e0%2e0%2e1:{port}/", "http://loc%61lhost:{port}/", "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/",
    ],
    "after a name and a password": [
        "http://user@127.0.0.1:{port}/", "http://8.8.8.8@127.0.0.1:{port}/", "http://8.8.8.8:80@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}#@8.8.8.8/", "http://127.0.0.1:{port}?@8.8.8.8/",
        "http://127.0.0.1:{port}\\@8.8.8.8/",
    ],
    "with blanks and control characters": [
        " http://127.0.0.1:{port}/", "http://127.0.0.1\t:{port}/", "ht\ntp://127.0.0.1:{port}/",
        "http://127.\n0.0.1:{port}/", "http://\t127.0.0.1:{port}/", "http://127.0.0.1\r:{port}/",
        "http://127.0.0.1 :{port}/", "http://127.0.0.1\x00.example.com:{port}/",
        "http://127.0.0.1%00.example.com:{port}/",
    ],
    "a scheme in capitals": ["HTTP://127.0.0.1:{port}/", "HtTpS://127.0.0.1:{port}/"],
    "IPv6": [
        "http://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::]:{port}/", "http://[fc00::1]/",
        "http://[fd12:3456::1]/", "http://[fe80::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[100::1]/",
        "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[4000::1]/",
    ],
    "IPv6 with a zone": ["http://[fe80::1%25lo]:{port}/", "http://[fe80::1%lo]:{port}/", "http://[::1%25lo]:{port}/"],
    "IPv4 inside IPv6": [
        "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/",
        "http://[::ffff:0:127.0.0.1]:{port}/", "http://[::ffff:192.0.0.8]/",
    ],
    "NAT64": ["http://[64:ff9b::7f00:1]/", "http://[64:ff9b::169.254.169.254]/", "http://[64:ff9b:1::808:808]/"],
    "6to4": ["http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2002:808:808::1]/"],
    "Teredo": ["http://[2001:0:7f00:1::]/", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/"],
    "private networks": ["http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.0.1/"],
    "what tells secrets": ["http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/"],
    "shared, reserved, for tests": [
        "http://100.64.0.1/", "http://100.127.255.255/", "http://198.18.0.1/", "http://198.19.255.255/",
        "http://192.0.0.8/", "http://192.0.2.1/", "http://198.51.100.1/", "http://203.0.113.1/", "http://192.88.99.1/",
        "http://240.0.0.1/", "http://255.255.255.255/",
    ],
    "groups": ["http://224.0.0.1/", "http://239.255.255.250/"],
    "no address of the web": [
        "file:///etc/hostname", "file://127.0.0.1/etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1:{port}/",
        "ws://127.0.0.1:{port}/", "unix:///tmp/x", "jar:http://127.0.0.1/", "javascript:alert(1)",
        "//127.0.0.1:{port}/", "http:/127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}/",
    ],
    "no address at all": [
        "", "http://", "http://:{port}/", "http://[::1/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "nonsense",
    ],
}  # fmt: skip
ALLOWED = [
    "http://8.8.8.8/", "http://134744072/", "http://0x08080808/", "http://100.63.255.255/", "http://172.32.0.1:8080/",
    "http://[2606:4700::1111]/", "http://[::ffff:8.8.8.8]/", "http://[64:ff9b::808:808]/", "http://example.com/",
    "HTTP://EXAMPLE.COM./", "http://user@example.com/", "http://localhost.example.com/", "http://bücher.example/",
    "http://10.0.0.1.example.com/",
]  # fmt: skip


@pytest.fixture
def inside() -> Iterator[Loopback]:
    """A server that nobody may be led to."""
    with Loopback(Reply(200, {"content-type": "image/png"}, b"secret")) as server:
        yield server


@pytest.mark.parametrize("proxied", [False, True], ids=["directly", "through a proxy"])
@pytest.mark.parametrize("urls", REFUSED.values(), ids=REFUSED)
async def test_an_address_that_is_not_public_is_refused(urls: list[str], proxied: bool, inside: Loopback) -> None:
    """However it is written: at once, and neither the address nor a proxy hears of it."""
    port = inside.url.rpartition(":")[2]
    pool = Pool({"all": Secret(inside.url)} if proxied else {})
    for url in urls:
        with pytest.raises(g4f.APIConnectionError) as caught:
            await pool.fetch(url.format(port=port), deadlines=Timeout(total=5.0))
        assert not caught.value.retryable, url
    await pool.close()
    assert not inside.requests
    assert not inside.connections


def test_there_are_more_than_a_hundred_spellings() -> None:
    """No two of them alike."""
    assert len({url for urls in REFUSED.values() for url in urls}) > 100


@pytest.mark.parametrize("url", ALLOWED)
async def test_a_public_address_is_asked(url: str) -> None:
    """As the proxy sees, through which nobody has to be on the internet."""
    with Loopback(Reply(200, {"content-type": "image/png"}, b"picture")) as proxy:
        pool = Pool({"all": Secret(proxy.url)})
        response = await pool.fetch(url, deadlines=Timeout(total=5.0))
        await pool.close()
    assert response.body == b"picture"


@pytest.mark.parametrize("url", ["http://127.1:{port}/x.png", "http://[::ffff:7f00:1]:{port}/", "http://localhost./"])
async def test_a_picture_in_a_prompt_leads_nobody_inside(url: str, inside: Loopback) -> None:
    """Where the client has to fetch it for the service: then that is not asked either."""
    with Server(DIALECTS["gemini"]) as server:
        async with g4f.AsyncClient(provider="Gemini", api_key="sk-1", base_url=server.url) as client:
            with pytest.raises(g4f.APIConnectionError, match="not a public address"):
                await client.chat.completions.create("Hi", image=url.format(port=inside.url.rpartition(":")[2]))
    assert not inside.requests
    assert not server.requests
