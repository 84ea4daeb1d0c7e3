"""Calls as users of OpenAI's client write them, which the SDK and ours make alike; `PNG` is the smallest picture."""

from __future__ import annotations

import base64
import io
from typing import Any

from loopback import Received, Reply, make_chunk, make_completion, reply_events, reply_json
from parity import Ask

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
MESSAGES = [{"role": "user", "content": "Say this is a test"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "w",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
LOOK = [
    {"type": "text", "text": "What's in this image?"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}},
]
# The arguments of the chats that every provider of the dialect is compared in, by the names of `parity.CANONICAL`.
CHATS: dict[str, dict[str, Any]] = {
    "chat": {},
    "parameters": {
        "messages": [{"role": "system", "content": "Be terse"}, *MESSAGES],
        "max_tokens": 5,
        "n": 1,
        "seed": 1,
        "stop": ["x"],
        "temperature": 0.2,
        "top_p": 0.9,
        "user": "u",
    },
    "stream": {"stream": True},
    "vision": {"messages": [{"role": "user", "content": LOOK}]},
    "tools": {"tools": [TOOL], "tool_choice": "auto"},
    "tool results": {
        "messages": [
            *MESSAGES,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ]
    },
    "JSON schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        }
    },
}


def chat(**arguments: Any) -> Ask:
    """Return a chat, whole or streamed."""

    async def ask(client: Any) -> None:
        answer = client.chat.completions.create(**{"messages": MESSAGES, "model": "gpt-4o-mini", **arguments})
        if not arguments.get("stream"):
            await answer
            return
        stream = await answer
        async for _ in stream:
            pass

    return ask


def image(**arguments: Any) -> Ask:
    """Return a call that draws."""
    return lambda client: client.images.generate(prompt="a white siamese cat", **arguments)


def edit(*names: str, prompt: str, **arguments: Any) -> Ask:
    """Return a call that changes pictures, which are files of these names."""

    async def ask(client: Any) -> None:
        files = [io.BytesIO(PNG) for _ in names]
        for file, name in zip(files, names, strict=True):
            file.name = name
        await client.images.edit(image=files if len(files) > 1 else files[0], prompt=prompt, **arguments)

    return ask


async def models(client: Any) -> None:
    """List the models."""
    await client.models.list()


def answer(request: Received) -> Reply:
    """Answer as a service of the dialect does."""
    if "/images/" in request.path:
        return reply_json({"created": 1, "data": [{"b64_json": base64.b64encode(PNG).decode()}]})
    if request.path.endswith("/embeddings"):
        rows = [{"index": index, "embedding": "AAAAPwAAgD8="} for index in (0, 1)]
        return reply_json({"object": "list", "data": rows})
    if request.path.endswith("/models"):
        return reply_json({"object": "list", "data": []})
    if request.json.get("stream"):
        return reply_events(make_chunk("Hi"), make_chunk(finish_reason="stop"))
    return reply_json(make_completion())
