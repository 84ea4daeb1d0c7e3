from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.addresses import is_public_address, names_private_host

PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("2606:4700::1111", "2a00:1450:4001::5", "::ffff:8.8.8.8", "64:ff9b::808:808"),
    "2606:4700::1111%eth0",
)
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255"),  # noqa: S104
    *("192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
    *("192.0.0.1", "192.0.0.9", "192.88.99.1", "3fff::1", "::ffff:192.0.0.1"),  # older Pythons call them global
    *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::ffff:127.0.0.1%eth0", "64:ff9b::7f00:1%eth0", "8.8.8.8%eth0"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fe80::1%25eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "64:ff9b:1:a9fe:a9:fe00:808:808"),
    *(
        "2002:7f00:1::",
        "2002:808:808::1",
        "2002:a00:1::1",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "2001:0:808:808::",
        "2001:db8::1",
    ),
    *("2001:0:4136:e378:8000:63bf:80ff:fffe", "100::1", "4000::1", "nonsense", "", "127.1", "1.1.1.1.1"),
)

PLAIN = [address for address in (*PUBLIC, *PRIVATE) if re.fullmatch(r"(\d+\.){3}\d+", address)]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    """Also inside an IPv6 address that stands for an IPv4 one."""
    assert is_public_address(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_every_other_address_is_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, reserved, multicast and documentation, in whatever they are wrapped."""
    assert not is_public_address(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_as_its_ipv6_forms(address: Any) -> None:
    """No wrapping makes a private address public."""
    number = int(address)
    assert (
        is_public_address(f"::ffff:{address}")
        is is_public_address(f"64:ff9b::{address}")
        is is_public_address(str(address))
    )
    assert not is_public_address(f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "a.localhost", "a.b.localhost.", "127.1", "2130706433"),
        *(
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fe80::1%25eth0]",
            "127。0。0。1",
            "①27.0.0.1",
        ),
        *("user:word@10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]", "0x0a.1", "127.0.0.1%25eth0"),
        *("127.0.0.1%00.example.com", "localhost%00.example.com"),
    ],
)
def test_a_url_names_a_private_host_in_many_ways(host: str) -> None:
    """All that the system's resolver reads as an address, and the names of the own machine."""
    assert names_private_host(f"http://{host}/picture.png")
    assert names_private_host(f"https://{host}:8080")


WIDE = str.maketrans("0123456789.abcdefx", "０１２３４５６７８９。ａｂｃｄｅｆｘ")  # noqa: RUF001 - IDNA makes ASCII of these


@st.composite
def spell(draw: st.DrawFn, address: Any) -> str:
    """An address as the system's resolver reads it: of one to four numbers, each to the base of 8, 10 or 16."""
    count = draw(st.integers(1, 4))
    numbers = [*address.packed[: count - 1], int.from_bytes(address.packed[count - 1 :])]
    text = ".".join(draw(st.sampled_from([str(number), f"0{number:o}", f"0x{number:x}"])) for number in numbers)
    return draw(st.sampled_from([text, text.upper(), f"{text}.", f"user:word@{text}", text.translate(WIDE)]))


@given(st.one_of(st.ip_addresses(v=4), st.sampled_from(PLAIN).map(ip_address)), st.data())
def test_an_address_is_judged_alike_however_it_is_written(address: Any, data: st.DataObject) -> None:
    """Nobody hides one behind an older way to write it."""
    host = data.draw(spell(address))
    assert names_private_host(f"http://{host}/picture.png") is not is_public_address(str(address))


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "134744072", "0x08080808", "[2606:4700::1111]", "example.com", "localhost.example.com", "notlocalhost"],
)
def test_other_hosts_are_not_known_to_be_private(host: str) -> None:
    """A name may lead anywhere: that is seen when it is connected to."""
    assert not names_private_host(f"http://{host}/picture.png")


@pytest.mark.parametrize(
    "url",
    [
        *("", "//", "nonsense", "http://", "http://[::1", "http://a:b:c/", "http://\udcff/", "http://\x00/"),
        "http://-[]@",  # yarl's IndexError
    ],
)
def test_what_is_no_url_names_no_host(url: str) -> None:
    """Others refuse it, in their words."""
    assert not names_private_host(url)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """A service may write anything where a URL belongs."""
    assert names_private_host(text) in {True, False}
    assert names_private_host(f"http://{text}") in {True, False}
    assert is_public_address(text) in {True, False}
