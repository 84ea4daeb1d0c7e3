"""The asynchronous client's surface: what can be passed, and what comes back."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest

from g4f import AsyncClient, Client, Completion, hookimpl
from g4f.chat import ChatRequest, Message
from g4f.context import Timeout
from g4f.embeddings import EmbeddingRequest, Embeddings
from g4f.errors import (
    InternalServerError,
    InvalidInputError,
    ModelNotFoundError,
    ProviderNotFoundError,
    UnsupportedError,
    make_status_error,
)
from g4f.images import ImageRequest, Images
from g4f.manifest import Manifest, Model
from g4f.registry import Registry

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Keep:
    """Keeps the requests that it gets."""

    manifest = Manifest(
        title="Keep",
        capabilities={"chat": "yes", "image": "yes", "image_edit": "yes"},
        models=(Model("keep-1", aliases=("K1",)),),
        defaults={"chat": "keep-1", "image": "keep-draw"},
    )

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.images: list[dict[str, Any]] = [{"b64_json": base64.b64encode(PNG).decode()}]

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        return Completion.from_text("kept")

    @hookimpl
    async def image(self, request: ImageRequest) -> Images:
        self.requests.append(request)
        return Images.from_dict({"data": [dict(image) for image in self.images]})

    @hookimpl
    async def models(self) -> list[dict[str, Any]]:
        return [{"id": "keep-1", "owned_by": "me"}, {"id": "keep-2"}]


async def test_messages_may_be_a_text_dicts_or_values() -> None:
    """An answer's message can be sent back as it is."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        answer = await client.chat.completions.create("Hi")
        await client.chat.completions.create([{"role": "user", "content": "Hi"}, answer.choices[0].message])
        await client.chat.completions.create(
            ({"role": "user", "content": "Hi"}, Message(content="x", role="assistant"))
        )
    assert keep.requests[0].messages == ({"role": "user", "content": "Hi"},)
    assert keep.requests[1].messages[1] == {"role": "assistant", "content": "kept"}
    assert keep.requests[2].messages[1] == {"role": "assistant", "content": "x"}


async def test_options_reach_the_provider_under_openais_names_and_none_counts_as_not_given() -> None:
    """Defaults of the manifest fill in the model."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        await client.chat.completions.create(
            "Hi", temperature=0.5, max_tokens=None, stop=["x"], extra_body={"odd": 1}, extra_headers={"X-A": "b"}
        )
        await client.chat.completions.create("Hi", "k1", provider_options={"deep": True})
    first, second = keep.requests
    assert first.options == {"temperature": 0.5, "stop": ["x"]}
    assert (first.model, first.extra_body, first.extra_headers) == ("keep-1", {"odd": 1}, {"X-A": "b"})
    assert (second.model, second.provider_options) == ("keep-1", {"deep": True})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"messages": None}, "messages must be a text or a list"),
        ({"messages": {"role": "user"}}, "messages must be a text or a list of messages, not dict: put it into a list"),
        ({"messages": ...}, "messages must be a text or a list"),
        ({"messages": "Hi", "temprature": 1}, r"no argument 'temprature'\. Did you mean 'temperature'\? What only"),
        ({"messages": "Hi", "functions": []}, "there is no argument 'functions'; give tools=…"),
        ({"messages": "Hi", "max_retries": 1}, "'max_retries'; give it to a client, as client.with_options"),
        ({"messages": "Hi", "odd": 1}, r"there is no argument 'odd'\. What only the service knows"),
        ({"messages": "Hi", "model": 5}, "model must be a text, not int"),
        *[
            ({"messages": "Hi", "images": one}, f"images must be a list of pictures, not {kind}; one .* into image=")
            for one, kind in (("a.png", "str"), (PNG, "bytes"), (Path("a.png"), "(Posix|Windows)Path"), ({}, "dict"))
        ],
        ({"messages": "Hi", "images": io.BytesIO(PNG)}, "not BytesIO; one picture goes into image="),
    ],
)
def test_what_can_never_be_right_is_a_type_error_at_once(arguments: dict[str, Any], says: str) -> None:
    """Before anything is awaited."""
    client = AsyncClient(Keep)
    with pytest.raises(TypeError, match=says):
        client.chat.completions.create(**arguments)
    with pytest.raises(TypeError, match=says):
        client.chat.completions.stream(**arguments)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_a_number_that_cannot_be_sent_is_refused(number: float) -> None:
    """JSON has no word for it, and null would mean another thing."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        with pytest.raises(InvalidInputError, match="temperature must be a number that can be sent"):
            await client.chat.completions.create("Hi", temperature=number)
    assert not keep.requests


@pytest.mark.parametrize("given", [{"response_format": Keep}, {"tools": [{"type": "function"}, Keep]}])
def test_types_that_only_parse_takes_are_a_type_error_that_names_it(given: Any) -> None:
    """A class in `response_format` or `tools` of `create`."""
    with pytest.raises(TypeError, match=r"mappings? here; for Keep call chat\.completions\.parse\(…\)"):
        AsyncClient(Keep).chat.completions.create("Hi", **given)


async def test_an_answer_in_place_of_its_message_is_refused() -> None:
    """A choice, or all of it; alone, each says that messages are a list."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        answer = await client.chat.completions.create("Hi")
        for wrong, kind in ((answer, "Completion"), (answer.choices[0], "Choice")):
            says = rf"messages\[1\] is a {kind}, no message; pass answer\.choices\[0\]\.message"
            with pytest.raises(InvalidInputError, match=says):
                await client.chat.completions.create([answer.choices[0].message, wrong])
            with pytest.raises(TypeError, match=f"not {kind}: put it into a list"):
                client.chat.completions.create(wrong)
    assert len(keep.requests) == 1


@pytest.mark.parametrize("url", ["cat.png", "/home/cat.png", "C:\\cat.png", "iVBORw0KGgo", ""])
async def test_a_picture_by_no_url_is_refused_where_it_must_fail(url: str) -> None:
    """A path or bare base64, in an object or without one; every scheme is the service's own matter."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        for image_url in ({"url": url}, url):
            parts = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": image_url}]
            with pytest.raises(InvalidInputError, match=r"messages\[0\] must be a URL.*a file goes into image="):
                await client.chat.completions.create([{"role": "user", "content": parts}])
        assert not keep.requests
        given = [
            "https://example.com/a.png",
            {"url": "data:image/png;base64,AA"},
            {"url": "gs://a/b"},
            {"file_id": "1"},
        ]
        taken: Any = [{"type": "image_url", "image_url": image_url} for image_url in given]
        await client.chat.completions.create([{"role": "user", "content": taken}])
    assert keep.requests[0].messages[0]["content"] == taken


async def test_a_picture_joins_the_last_user_message_and_the_callers_messages_stay() -> None:
    """From bytes, a path, or a URL."""
    keep = Keep()
    messages = [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "Wait"}]
    async with AsyncClient(keep) as client:
        await client.chat.completions.create(
            messages, image=PNG, images=["https://example.com/a.png"], image_name="cat"
        )
    content = keep.requests[0].messages[0]["content"]
    assert content[0] == {"type": "text", "text": "What is it?"}
    assert content[1]["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert content[2]["image_url"]["url"] == "https://example.com/a.png"
    assert messages[0] == {"role": "user", "content": "What is it?"}


async def test_images_are_saved_named_or_encoded_as_asked(tmp_path: Path) -> None:
    """The three response formats."""
    keep = Keep()
    async with AsyncClient(keep, media_folder=str(tmp_path / "pictures")) as client:
        saved = (await client.images.generate("a cat")).data[0]
        url = (await client.images.generate("a cat", response_format="url")).data[0]
        encoded = (await client.images.generate("a cat", response_format="b64_json", n=2, size="1x1")).data[0]
        with pytest.raises(InvalidInputError, match="response_format must be"):
            await client.images.generate("a cat", response_format="png")  # type: ignore[arg-type]
    assert Path(saved.path or "").read_bytes() == PNG
    assert saved.url == f"/images/{Path(saved.path or '').name}"
    assert (url.url or "").startswith("data:image/png;base64,")
    assert base64.b64decode(encoded.b64_json or "") == PNG
    assert keep.requests[0].model == "keep-draw"
    assert keep.requests[2].options == {"n": 2, "size": "1x1"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n": 0}, "n must be a whole number from 1 on, not 0"),
        ({"n": "2"}, "not '2'"),
        ({"n": True}, "not True"),
        ({"size": 512}, "size must be a text as '1024x1024', not 512"),
    ],
)
async def test_settings_that_no_service_understands_are_refused(given: Any, says: str) -> None:
    """Before anything is sent; words that only one service may know are its own matter."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        with pytest.raises(InvalidInputError, match=says):
            await client.images.generate("a cat", **given)
        if "n" in given:
            with pytest.raises(InvalidInputError, match=says):
                await client.chat.completions.create("Hi", **given)
        assert not keep.requests
        await client.images.generate("a cat", response_format="b64_json", size="landscape")
        messages: Any = [{"role": "assistant", "content": None}, {"role": "critic"}]
        await client.chat.completions.create(messages)


async def test_pictures_may_be_saved_below_ones_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is written as a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    async with AsyncClient(Keep, media_folder="~/pictures") as client:
        saved = (await client.images.generate("a cat")).data[0]
    assert Path(saved.path or "").parent == tmp_path / "pictures"


async def test_edits_carry_their_pictures() -> None:
    """One or several, and a mask."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        await client.images.edit([PNG, PNG], "a hat", mask=PNG, response_format="url")
    request = keep.requests[0]
    assert (request.operation, len(request.images), request.mask is not None) == ("edit", 2, True)


async def test_a_variation_is_an_edit_with_a_prompt_of_ours() -> None:
    """With OpenAI's arguments."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        answer = await client.images.create_variation(PNG, "keep-draw", n=2, size="1x1", response_format="b64_json")
    request = keep.requests[0]
    assert (request.operation, len(request.images), request.model) == ("edit", 1, "keep-draw")
    assert request.prompt.startswith("Draw a variation of this picture")
    assert request.options == {"n": 2, "size": "1x1"}
    assert answer.data[0].b64_json is not None


async def test_embeddings_are_asked_for_one_text_or_several() -> None:
    """In the order of the texts; what is no text is a TypeError at once."""

    class Vectors:
        @hookimpl
        async def embed(self, request: EmbeddingRequest) -> Embeddings:
            texts = [request.input] if isinstance(request.input, str) else request.input
            rows = [{"index": at, "embedding": [float(len(text))]} for at, text in enumerate(texts)]
            return Embeddings.from_dict({"data": rows, "usage": {"total_tokens": 3}})

    async with AsyncClient(Vectors) as client:
        one = await client.embeddings.create("abc", "m", dimensions=1)
        two = await client.embeddings.create(["a", "abcd"])
        with pytest.raises(TypeError, match="input must be a text or a list of texts"):
            client.embeddings.create(None)  # type: ignore[arg-type]
        with pytest.raises(UnsupportedError, match="Vectors cannot chat"):
            await client.chat.completions.create("hi")
        with pytest.raises(UnsupportedError, match="Keep cannot make embeddings"):
            await client.embeddings.create("abc", provider=Keep)
    assert (one.model, one.data[0].embedding, one.usage.total_tokens) == ("m", [3.0], 3)
    assert [item.embedding for item in two.data] == [[1.0], [4.0]]


async def test_an_edit_needs_a_picture() -> None:
    """It never becomes a drawing."""
    async with AsyncClient(Keep) as client:
        with pytest.raises(InvalidInputError, match="There is no image to edit"):
            await client.images.edit([], "a hat")


async def test_an_image_provider_draws_and_the_other_chats() -> None:
    """As in `AsyncClient(provider=…, image_provider=…)`."""
    chatting, drawing = Keep(), Keep()
    async with AsyncClient(chatting, image_provider=drawing) as client:
        await client.chat.completions.create("Hi")
        await client.images.generate("a cat", response_format="url")
    assert [type(request) for request in chatting.requests] == [ChatRequest]
    assert [type(request) for request in drawing.requests] == [ImageRequest]


async def test_models_are_the_manifests_and_the_services() -> None:
    """Merged, and found by alias."""
    async with AsyncClient(Keep) as client:
        models = await client.models.list()
        one = await client.models.retrieve("keep-2")
        assert (await client.models.retrieve("K1")).owned_by == "me"
        with pytest.raises(ModelNotFoundError, match=r"no model 'keep-3' among the 2 .*\. Did you mean keep-"):
            await client.models.retrieve("keep-3")
    assert [(model.id, model.owned_by) for model in models] == [("keep-1", "me"), ("keep-2", "")]
    assert one.provider == "Keep"


async def test_with_options_keeps_what_is_not_changed_and_shares_the_connections() -> None:
    """The keys too."""
    client = AsyncClient(Keep, api_key="k", timeout=5)
    other = client.with_options(max_retries=0)
    assert other._settings.keys == client._settings.keys
    assert other._settings.timeout == client._settings.timeout
    assert other._shared is client._shared
    assert client.with_options(proxies="http://127.0.0.1:1")._shared is not client._shared
    with pytest.raises(TypeError):
        client.with_options(keys="x")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"timeout": -1}, "timeout must be a positive number"),
        ({"timeout": "5"}, "timeout must be a positive number"),
        ({"base_url": "localhost:8000"}, "is no http:// or https:// address"),
        ({"proxies": {"ftp": "x"}}, "proxies has the key 'ftp'"),
        ({"proxies": {"all": 5}}, "A proxy must be a text"),
        ({"max_retries": -1}, "max_retries must be a whole number from 0 on"),
        ({"max_retries": "2"}, "max_retries must be a whole number from 0 on"),
        ({"middleware": [5]}, "A middleware must be callable"),
        ({"base_url": 5}, "base_url must be a text"),
        ({"api_key": 5}, "must be a text, not int"),
        ({"api_key": "line\nbreak"}, "characters that a key cannot have"),
    ],
)
def test_bad_client_arguments_say_what_to_do(arguments: dict[str, Any], says: str) -> None:
    """At once, in one sentence."""
    with pytest.raises(InvalidInputError, match=says):
        AsyncClient(**arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"organization": "o"}, r"no argument 'organization'; give settings=\{'organization': …\}"),
        ({"http_client": None}, r"no argument 'http_client'; give proxies=…, ssl_context=…"),
        ({"temperature": 1}, r"no argument 'temperature'; give it to each call, as create\(…, temperature=…\)"),
        ({"apikey": "k"}, r"no argument 'apikey'\. Did you mean 'api_key'\?"),
        ({"odd": 1}, "no argument 'odd'"),
    ],
)
def test_an_argument_that_no_client_has_says_what_to_give_instead(arguments: Any, says: str) -> None:
    """Those of OpenAI's clients, of calls, and slips; the value is not shown."""
    for make in (AsyncClient, Client, AsyncClient().with_options, Client().with_options):
        with pytest.raises(TypeError, match=says):
            make(**arguments)


async def test_a_client_tells_how_it_was_made_and_whether_it_is_closed() -> None:
    """Under OpenAI's names; one that is used again is open again."""
    keep = Keep()
    client = AsyncClient(keep, timeout=5, max_retries=1)
    twin = client.copy(max_retries=3)
    sync = Client("OpenaiChat", base_url="http://127.0.0.1:1/v1")

    assert (client.timeout, client.max_retries, client.base_url) == (Timeout.make(5), 1, None)
    assert (twin.timeout, twin.max_retries) == (Timeout.make(5), 3)
    assert (sync.base_url, sync.max_retries, sync.timeout, sync.is_closed()) == (
        "http://127.0.0.1:1/v1", 2, Timeout(), False,
    )  # fmt: skip
    assert sync.copy().base_url == sync.base_url
    await client.close()
    assert client.is_closed()
    assert twin.is_closed()
    await twin.chat.completions.create("Hi")
    assert not client.is_closed()
    await client.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"extra_headers": "X-A: b"}, "extra_headers must be a mapping, as {name: value}, not str"),
        ({"extra_body": [("a", 1)]}, "extra_body must be a mapping, as {name: value}, not list"),
        ({"provider_options": 5}, "provider_options must be a mapping, as {name: value}, not int"),
        ({"extra_headers": {5: "b"}}, "extra_headers has 5, which can be no header's name"),
        ({"extra_headers": {"X A": "b"}}, "extra_headers has 'X A', which can be no header's name"),
        ({"extra_headers": {"": "b"}}, "extra_headers has '', which can be no header's name"),
        ({"extra_headers": {"X-A": None}}, "extra_headers['X-A'] must be a text of one line."),
        ({"extra_headers": {"X-A": "b\r\nX-B: c"}}, "extra_headers['X-A'] must be a text of one line."),
    ],
)
async def test_what_goes_along_as_it_is_must_be_what_can_go_along(arguments: dict[str, Any], says: str) -> None:
    """Before anything is sent; the value of a header is not shown, since it may be a key."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        for ask in (client.chat.completions.create, client.images.generate, client.embeddings.create):
            with pytest.raises(InvalidInputError, match=re.escape(says)):
                await ask("Hi", **arguments)
    assert keep.requests == []


@pytest.mark.parametrize("arguments", [{"provider": [Keep, Keep()]}, {"provider": Keep, "image_provider": Keep()}, {}])
async def test_a_plain_key_without_an_owner_is_an_error_that_says_how_to_write_it(arguments: dict[str, Any]) -> None:
    """It never goes to whoever happens to serve: two objects of one class are two providers."""
    async with AsyncClient(**arguments, api_key="k") as client:
        with pytest.raises(InvalidInputError, match=r"It is not clear whose api_key this is.*api_key=\{'Keep': …\}"):
            await client.chat.completions.create("Hi", provider=None if arguments else Keep)


async def test_a_base_url_alone_means_custom() -> None:
    """And says what to install when that provider is absent."""
    async with AsyncClient(base_url="http://127.0.0.1:1/v1", registry=Registry(refs=[])) as client:
        with pytest.raises(ProviderNotFoundError, match="install g4f-provider-compatible"):
            await client.chat.completions.create("Hi")


async def test_many_calls_run_at_once_and_clients_can_be_closed_twice() -> None:
    """Nothing is shared between calls but the connections."""
    keep = Keep()
    client = AsyncClient(keep)
    answers = await asyncio.gather(*(client.chat.completions.create(str(n)) for n in range(50)))
    assert len(answers) == len(keep.requests) == 50
    await client.close()
    await client.close()
    assert "AsyncClient" in repr(client)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "messages is empty: .* Pass messages="),
        ([{"content": "Hi"}], r"messages\[0\] has no role"),
        ([{"role": 5}], "has no role"),
        ([{"role": "user"}], r"The content of messages\[0\] must be a text or a list of parts, not NoneType"),
        ([{"role": "tool", "content": 5}], "must be a text or a list of parts, not int"),
        ([{"role": "assistant", "content": {}}], "must be a text or a list of parts, not dict"),
        ([{"role": "user", "content": ["Hi"]}], r"Each part of the content of messages\[0\] must be as .*, not str"),
        ([{"role": "usr", "content": "Hi"}], r"messages\[0\] has the role 'usr'\. Did you mean 'user'\?"),
    ],
)
async def test_messages_that_no_service_understands_are_refused(messages: Any, says: str) -> None:
    """Before anything is sent, and without a service's own words."""
    async with AsyncClient(Keep) as client:
        with pytest.raises(InvalidInputError, match=says):
            await client.chat.completions.create(messages)


async def test_a_call_without_messages_names_them() -> None:
    """As one with an empty list."""
    create: Any = AsyncClient(Keep).chat.completions.create
    with pytest.raises(InvalidInputError, match="Pass messages="):
        await create(model="keep-1")


async def test_a_role_that_is_no_slip_goes_to_the_service() -> None:
    """It may know more of them than others do."""
    keep = Keep()
    async with AsyncClient(keep) as client:
        await client.chat.completions.create([{"role": "critic", "content": "Hi"}])
    assert keep.requests[0].messages[0]["role"] == "critic"


@pytest.mark.parametrize("key", ["sk-x", "sk-proj-1", "gsk_1", "AIzaSy", "xai-1"])
@pytest.mark.parametrize("make", [AsyncClient, Client])
def test_a_key_given_as_the_provider_is_refused_and_not_shown(make: Any, key: str) -> None:
    """As OpenAI's client takes it first."""
    with pytest.raises(InvalidInputError, match="pass it as api_key=") as caught:
        make(key)
    assert key not in str(caught.value)


async def test_a_key_given_as_the_provider_of_a_call_is_refused_and_not_shown() -> None:
    """No list of what is installed follows."""
    async with AsyncClient() as client:
        with pytest.raises(InvalidInputError, match="looks like a key") as caught:
            await client.chat.completions.create("Hi", provider="sk-x")
    assert "sk-x" not in str(caught.value)


@pytest.mark.parametrize("make", [AsyncClient, Client])
@pytest.mark.parametrize("name", ["responses", "audio", "beta"])
def test_a_part_of_openais_that_is_not_here_says_what_is(make: Any, name: str) -> None:
    """So hasattr() works as ever."""
    client = make(Keep)
    with pytest.raises(AttributeError, match=f"Client has no '{name}'; it has chat, images, embeddings and models"):
        getattr(client, name)
    assert not hasattr(client, name)


async def test_a_key_among_the_headers_goes_to_no_second_provider() -> None:
    """One provider may have it, several may not."""
    header = {"Authorization": "Bearer k"}
    async with AsyncClient([Keep, Keep()]) as client:
        with pytest.raises(InvalidInputError, match="extra_headers holds Authorization, which each of the providers"):
            await client.chat.completions.create("Hi", extra_headers=header)
        await client.chat.completions.create("Hi", provider=Keep, extra_headers=header)


async def test_what_a_provider_has_no_use_for_is_left_out_with_a_warning() -> None:
    """A key and an address."""
    async with AsyncClient(Keep, api_key="k", base_url="http://127.0.0.1:9") as client:
        answer = await client.chat.completions.create("Hi")
    assert answer.warnings == ["api_key was left out: Keep uses none.", "base_url was left out: Keep has no address."]


async def test_a_service_without_a_list_of_models_leaves_the_manifests() -> None:
    """Any other failure is told."""

    class Listless(Keep):
        status = 501

        @hookimpl
        async def models(self) -> list[dict[str, Any]]:
            raise make_status_error("no such thing", status_code=self.status)

    listless = Listless()
    async with AsyncClient(listless) as client:
        assert [model.id for model in await client.models.list()] == ["keep-1"]
        listless.status = 500
        with pytest.raises(InternalServerError):
            await client.models.list()
