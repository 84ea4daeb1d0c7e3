"""The dialects that the server speaks, by the names that manifests call them."""

from collections.abc import Mapping

from g4f_testkit.dialect import Dialect
from g4f_testkit.dialects.anthropic import AnthropicDialect
from g4f_testkit.dialects.gemini import GeminiDialect
from g4f_testkit.dialects.openai import OpenaiDialect

DIALECTS: Mapping[str, Dialect] = {
    "openai": OpenaiDialect(),
    "anthropic": AnthropicDialect(),
    "gemini": GeminiDialect(),
}
