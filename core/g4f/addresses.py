"""Which addresses are on the public internet, judged by what is written alone: nobody is asked here.

Where a name leads is left to the transport, which comes back with the address when it connects.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from urllib.parse import unquote

from yarl import URL

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is assigned to the public internet, but for
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 addresses in networks that have none of their own (RFC 6052)

# IETF assignments, relays of 6to4, documentation (RFC 6890, 7526, 9637): older Pythons take them for public.
_RESERVED = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))


def is_public_address(address: str) -> bool:
    """Tell whether an IP address is on the public internet (IANA's registries).

    An IPv4 address inside an IPv6 one counts for it; the tunnels 6to4 and Teredo are given up and never public.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in _RESERVED):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    if ip.ipv4_mapped is not None:
        return is_public_address(str(ip.ipv4_mapped))
    if ip in _NAT64:
        return is_public_address(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip in _GLOBAL_UNICAST and ip.is_global and ip.sixtofour is None and ip.teredo is None


def names_private_host(url: str) -> bool:
    """Tell whether a URL itself says that its host is not public.

    It is all that can be known where a proxy looks names up.
    """
    host = _read_host(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _read_address(host)
    return address is not None and not is_public_address(address)


def _read_host(url: str) -> str:
    with suppress(ValueError, IndexError):  # yarl raises either for what cannot be read
        host = unquote(URL(url).raw_host or "")  # as it will be asked for: "127。0。0。1" is one, too
        return host.partition("\0")[0].rstrip(".").lower()  # what is written in C reads no further
    return ""


def _read_address(host: str) -> str | None:
    with suppress(ValueError):
        return str(ipaddress.ip_address(host.partition("%")[0]))
    with suppress(OSError, ValueError):  # "127.1" and "0x7f000001" are addresses to the system's resolver
        return socket.inet_ntoa(socket.inet_aton(host))
    return None
