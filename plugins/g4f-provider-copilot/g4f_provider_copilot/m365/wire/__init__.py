"""The dialect of the Microsoft 365 Copilot Chat API. Pure, as all of `g4f.wire`.

Source: https://learn.microsoft.com/en-us/microsoft-365-copilot/extensibility/api/ai-services/chat/overview and the
pages beside it.
"""

from __future__ import annotations

from g4f.wire.dialect import Wire
from g4f_provider_copilot.m365.wire.decode import REWRITTEN, decode_chat, decode_stream, is_rewritten
from g4f_provider_copilot.m365.wire.encode import (
    check_request,
    decode_conversation,
    encode_chat,
    encode_conversation,
    keep_last,
)
from g4f_provider_copilot.m365.wire.errors import decode_error

__all__ = [
    "M365",
    "REWRITTEN",
    "check_request",
    "decode_chat",
    "decode_conversation",
    "decode_error",
    "decode_stream",
    "encode_chat",
    "encode_conversation",
    "is_rewritten",
    "keep_last",
]

M365 = Wire(
    encode_chat=encode_chat,
    decode_chat=decode_chat,
    decode_stream=decode_stream,
    decode_error=decode_error,
)
