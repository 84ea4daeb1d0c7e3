"""What a program wants each of its requests to have: headers, a query, certificates."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from g4f import APIConnectionError, AsyncClient, Auth, BadRequestError, Client, HttpProvider, Manifest
from g4f.errors import InvalidInputError
from loopback import Loopback, Received, Reply, make_completion, reply_json


class First(HttpProvider):
    manifest = Manifest(
        title="First", base_url="http://127.0.0.1:9/v1", auth=Auth("header", required=False), models_open=True
    )


class Second(First):
    """Another service."""

    manifest = Manifest(title="Second", base_url="http://127.0.0.1:9/v1", auth=Auth("none"), models_open=True)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A service that answers."""
    with Loopback(reply_json(make_completion())) as server:
        yield server


async def test_headers_and_a_query_go_with_each_request(server: Loopback) -> None:
    """A call's own headers count more than the client's, and those more than ours."""
    async with AsyncClient(
        First,
        base_url=server.url,
        api_key="sk-1",
        default_headers={"X-Gateway": "of the client", "user-agent": "theirs"},
        default_query={"api-version": "1", "with": "a & b"},
    ) as client:
        await client.chat.completions.create("Hi", "m")
        await client.chat.completions.create("Hi", "m", extra_headers={"x-gateway": "of the call"})
    first, second = server.requests
    assert (first.headers["x-gateway"], second.headers["x-gateway"]) == ("of the client", "of the call")
    assert (first.headers["user-agent"], first.key) == ("theirs", "sk-1")
    assert first.pairs == second.pairs == [("api-version", "1"), ("with", "a & b")]


def test_the_synchronous_client_and_its_copies_have_them_too(server: Loopback) -> None:
    """Until a copy is given others."""
    with Client(First, base_url=server.url, default_headers={"X-A": "1"}, default_query={"a": "1"}) as client:
        client.with_options(timeout=9).chat.completions.create("Hi", "m")
        client.with_options(default_headers={"X-A": "2"}).chat.completions.create("Hi", "m")
    assert [(seen.headers["x-a"], seen.query) for seen in server.requests] == [("1", "a=1"), ("2", "a=1")]


async def test_they_belong_to_the_provider_that_they_were_given_with(server: Loopback) -> None:
    """Another one never gets them; by name, each gets its own."""
    urls = {"First": server.url, "Second": server.url}
    async with AsyncClient(First, base_url=server.url, default_headers={"X-Tenant": "first"}) as client:
        await client.chat.completions.create("Hi", "m", provider=Second, base_url=server.url)
    named = {"First": {"X-Tenant": "first"}, "Second": {"X-Tenant": "second"}}
    async with AsyncClient([Second, First], base_url=urls, default_headers=named) as client:
        await client.chat.completions.create("Hi", "m")
        await client.chat.completions.create("Hi", "m", provider=First)
    assert [seen.headers.get("x-tenant") for seen in server.requests] == [None, "second", "first"]


async def test_they_are_shown_nowhere() -> None:
    """They may be keys; what a service echoes of them is taken out."""
    token = "token-of-a-gateway-1234"

    def echo(request: Received) -> Reply:
        seen = f"{request.headers['x-gateway']} {request.query}"
        return reply_json({"error": {"message": f"You sent {seen}."}}, 400)

    with Loopback(echo) as server:
        async with AsyncClient(
            First, base_url=server.url, default_headers={"X-Gateway": token}, default_query={"key": token[::-1]}
        ) as client:
            assert token not in f"{client!r} {vars(client)} {client._settings!r}"
            with pytest.raises(BadRequestError) as caught:
                await client.chat.completions.create("Hi", "m")
    shown = f"{caught.value} {vars(caught.value)}"
    assert "You sent" in shown
    assert token not in shown
    assert token[::-1] not in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"default_headers": ["X-A"]}, "default_headers must be a mapping of names to texts, not list."),
        ({"default_headers": {"X A": "1"}}, "default_headers has 'X A', which can be no header's name."),
        ({"default_headers": {"X-A": "1\n2"}}, "default_headers['X-A'] must be a text of one line."),
        ({"default_headers": {"X-A": "1", "First": {}}}, "default_headers holds both names of its own and providers"),
        ({"default_query": {"a": 1}}, "default_query['a'] must be a text."),
    ],
)
def test_what_cannot_be_sent_is_told(arguments: dict[str, Any], says: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInputError) as caught:
        AsyncClient(First, **arguments)
    assert says in str(caught.value)


async def test_a_certificate_of_an_authority_of_ones_own_is_trusted_and_ones_own_is_shown() -> None:
    """With `ssl_context=`; without it neither is so. The longer way, of large bodies, does the same."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(serving)
    serving.verify_mode = ssl.CERT_REQUIRED
    asking = ssl.create_default_context()
    authority.configure_trust(asking)
    authority.issue_cert("client@example.org").configure_cert(asking)
    with Loopback(reply_json(make_completion()), tls=serving) as server:
        async with AsyncClient(First, base_url=server.url, max_retries=0) as client:
            with pytest.raises(APIConnectionError, match="has a certificate that cannot be trusted"):
                await client.chat.completions.create("Hi", "m")
            knowing = client.with_options(ssl_context=asking)
            for prompt in ("Hi", "Hi" * 2**20):
                answer = await knowing.chat.completions.create(prompt, "m")
                assert answer.choices[0].message.content == "This is a test"
            await knowing.close()
    assert len(server.requests) == 2
