"""The Gemini dialect: generateContent, streamGenerateContent, batchEmbedContents. Pure, as all of `g4f.wire`.

Source: https://ai.google.dev/api/generate-content, and recorded exchanges of the service. Requests are written in
`encode.py` (with `contents.py`, `options.py`, `pictures.py`, `requests.py`), answers read in `decode.py` (with
`answers.py`, `calls.py`), errors in `errors.py`, embeddings in `embeddings.py`; what distinguishes the models stands in
`families.py`.
"""

from g4f.wire.dialect import Wire
from g4f_provider_gemini.wire.decode import decode_chat, decode_image, decode_models, decode_stream, read_next_page
from g4f_provider_gemini.wire.embeddings import decode_embed, encode_embed, list_texts
from g4f_provider_gemini.wire.encode import encode_chat, encode_image, encode_models
from g4f_provider_gemini.wire.errors import decode_error

__all__ = [
    "GEMINI",
    "decode_chat",
    "decode_embed",
    "decode_error",
    "decode_image",
    "decode_models",
    "decode_stream",
    "encode_chat",
    "encode_embed",
    "encode_image",
    "encode_models",
    "list_texts",
    "read_next_page",
]

GEMINI = Wire(
    encode_chat=encode_chat,
    decode_chat=decode_chat,
    decode_stream=decode_stream,
    encode_image=encode_image,
    decode_image=decode_image,
    encode_embed=encode_embed,
    decode_embed=decode_embed,
    encode_models=encode_models,
    decode_models=decode_models,
    decode_error=decode_error,
)
