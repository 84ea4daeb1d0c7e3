"""The pages of the site about providers: what their manifests say, in sentences and tables.

The variables of all of them stand in a page of the reference too, where `scripts/docs` writes them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import attrs

from docs.pages import ROOT, read_page
from g4f.manifest import CAPABILITIES, Auth, Manifest, Model, Setting, parse_manifest

MEANINGS = {
    "chat": "chats",
    "image": "makes pictures",
    "image_edit": "changes pictures",
    "vision": "reads pictures in a chat",
    "tools": "calls functions",
    "json_schema": "answers by a JSON schema",
    "reasoning": "thinks before it answers",
    "document": "reads documents in a chat",
    "audio": "hears or speaks",
    "embed": "makes embeddings",
}
_BEGIN = "<!-- of the manifests, by scripts/docs -->"
_END = "<!-- end -->"
SIGNS = {"yes": "yes", "no": "no", "unknown": "not known"}
ENDS = {
    "marker": "A stream is complete when the service's own end marker has come.",
    "finish": "A stream is complete when a reason to finish has come.",
    "close": "A stream is complete when the service closes the connection.",
}


@attrs.frozen
class Provider:
    """A provider of this project: its name, its package, other names of it, and its manifest."""

    name: str
    package: str
    aliases: tuple[str, ...]
    manifest: Manifest

    @property
    def place(self) -> str:
        """Where its page stands in the site."""
        return f"providers/{self.name.lower()}.md"

    @property
    def summary(self) -> str:
        """What it is for, in some words."""
        return f"{self.manifest.title}; {', '.join(list_abilities(self.manifest))}."


def list_providers() -> list[Provider]:
    """Every provider of the packages in plugins/, by name."""
    found = [provider for path in ROOT.glob("plugins/*/pyproject.toml") for provider in _read_package(path.parent.name)]
    return sorted(found, key=lambda provider: provider.name.lower())


def _read_package(package: str) -> Iterable[Provider]:
    project = tomllib.loads((ROOT / "plugins" / package / "pyproject.toml").read_text("utf-8"))["project"]
    targets: dict[str, str] = project.get("entry-points", {}).get("g4f.providers", {})
    for name, target in targets.items():
        module, _, attribute = target.partition(":")
        if name == attribute:  # else it is another name of the provider that it leads to
            aliases = tuple(other for other in targets if other != name and targets[other] == target)
            file = ROOT / "plugins" / package / module.partition(".")[0] / f"{name}.toml"
            yield Provider(name, package, aliases, parse_manifest(file.read_text("utf-8")))


def list_abilities(manifest: Manifest, model: Model | None = None) -> list[str]:
    """What it can for certain; what belongs to a chat only if it chats."""
    chats = manifest.supports("chat", model) != "no"
    names = CAPABILITIES if chats else ("image", "image_edit", "embed")
    return [name.replace("_", " ") for name in names if manifest.supports(name, model) == "yes"]


def make_table(*rows: Iterable[str]) -> str:
    """A table; the first row is its head."""
    head, *body = [list(row) for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def list_codes(names: Iterable[str], joint: str = ", ") -> str:
    """Names, each of them as code."""
    return joint.join(f"`{name}`" for name in names)


def describe_provider(provider: Provider) -> str:
    """Write the page of one provider."""
    sections = [
        f"# {provider.name}",
        _introduce(provider),
        _show_installation(provider),
        _show_example(provider),
        *_describe_settings(provider.manifest),
        *_describe_abilities(provider.manifest),
        *_describe_models(provider.manifest),
        *_describe_retired(provider.manifest),
        *_describe_streams(provider.manifest),
    ]
    return "\n\n".join(sections) + "\n"


def _introduce(provider: Provider) -> str:
    manifest = provider.manifest
    also = f" It is also called {list_codes(provider.aliases)}." if provider.aliases else ""
    grade = (
        f" [The conformance kit](../how-to/test-a-provider.md) grades it {manifest.grade}." if manifest.grade else ""
    )
    return (
        f"The provider `{provider.name}` asks {manifest.title}.{also} It comes with the package"
        f" [{provider.package}](../packages/{provider.package}.md), whose page says what becomes of each option and how"
        f" it was tested. The service has [documentation]({manifest.documentation}) of its own.{grade}"
    )


def _show_installation(provider: Provider) -> str:
    lines = [find_installation(provider), *_list_exports(provider.manifest)]
    return "```sh\n" + "\n".join(lines) + "\n```"


def find_installation(provider: Provider) -> str:
    """The command that the README of its package gives before it asks this provider: with what it needs besides."""
    blocks = read_page(ROOT / "plugins" / provider.package / "README.md").blocks
    asked = (number for number, block in enumerate(blocks) if f'provider="{provider.name}"' in block.code)
    lines = [block.code.partition("\n")[0] for block in blocks[: next(asked, len(blocks))]]
    return [line for line in lines if line.startswith("pip install ")][-1]


def _list_exports(manifest: Manifest) -> Iterable[str]:
    """What must be set before the first call."""
    if manifest.auth.required and manifest.auth.variables:
        yield f"export {manifest.auth.variables[0]}=..."
    if manifest.base_url_required and manifest.base_url_variable:
        yield f"export {manifest.base_url_variable}={manifest.base_url}"


def _show_example(provider: Provider) -> str:
    model = " -m a-model" if _needs_model(provider.manifest) else ""
    command = f'g4f -p {provider.name}{model} "Say this is a test"'
    if provider.manifest.supports("chat") == "no":
        command = f'g4f image -p {provider.name} "a white siamese cat"'
    sentence = "The same on the command line, with `g4f-cli`:"
    return f"```python\n{write_example(provider)}```\n\n{sentence}\n\n```sh\n{command}\n```"


def _needs_model(manifest: Manifest) -> bool:
    """Whether nothing else says which model is meant."""
    return manifest.models_open and not manifest.defaults and all(one.name != "model" for one in manifest.settings)


def write_example(provider: Provider) -> str:
    """A program that asks it."""
    manifest = provider.manifest
    call, shown = 'chat.completions.create("Say this is a test"', "answer.choices[0].message.content"
    if manifest.supports("chat") == "no":
        call, shown = 'images.generate("a white siamese cat"', "answer.data[0].path"
    model = ', model="a-model"' if _needs_model(manifest) else ""
    return (
        "from g4f.client import Client\n\n"
        f'with Client(provider="{provider.name}") as client:\n'
        f"    answer = client.{call}{model})\n"
        f"    print({shown})\n"
    )


def _describe_settings(manifest: Manifest) -> list[str]:
    rows = [*_list_key(manifest), *_list_address(manifest), *map(_describe_setting, manifest.settings)]
    if not rows:
        return []
    return ["## Settings", make_table(("in a program", "in the environment", "what for"), *rows)]


def _list_key(manifest: Manifest) -> list[tuple[str, str, str]]:
    auth = manifest.auth
    if not auth.variables:
        return []
    need = "The key; required." if auth.required else "The key, where one is wanted."
    if auth.sign_in:
        need = f"A token, in place of a sign-in by `{auth.sign_in}`."
    return [("`api_key=…`", list_codes(auth.variables, ", else "), need)]


def _list_address(manifest: Manifest) -> list[tuple[str, str, str]]:
    if not manifest.base_url:
        return []
    what = "The address; required, as" if manifest.base_url_required else "Another address, in place of"
    variable = f"`{manifest.base_url_variable}`" if manifest.base_url_variable else ""
    alone = "; the server alone is enough" if manifest.base_url_path else ""
    return [("`base_url=…`", variable, f"{what} `{manifest.base_url}`{alone}.")]


def _describe_setting(setting: Setting) -> tuple[str, str, str]:
    variable = f"`{setting.variable}`" if setting.variable else ""
    return (f'`settings={{"{setting.name}": …}}`', variable, f"{setting.description}.")


def write_variables(page: str, providers: Iterable[Provider]) -> str:
    """Put the table of all variables that manifests name into the text of the page about them."""
    rows = [(variables, f"`{one.name}`", what) for one in providers for variables, what in _list_variables(one)]
    table = make_table(("variable", "of", "meaning"), *rows)
    return re.sub(f"(?<={_BEGIN}\n).*?(?={_END})", lambda _: f"{table}\n", page, flags=re.DOTALL)


def _list_variables(provider: Provider) -> Iterable[tuple[str, str]]:
    manifest = provider.manifest
    rows = [*_list_key(manifest), *_list_address(manifest), *map(_describe_setting, manifest.settings)]
    return [(variables, what) for _, variables, what in rows if variables]


def _describe_abilities(manifest: Manifest) -> list[str]:
    rows = [
        (MEANINGS[name], SIGNS[manifest.supports(name)], list_codes(filter(None, [manifest.defaults.get(name)])))
        for name in CAPABILITIES
    ]
    return ["## What it can", make_table(("", "", "model, where you name none"), *rows)]


def _describe_models(manifest: Manifest) -> list[str]:
    if manifest.models_open:
        sentence = "It takes any name of a model, and claims none by itself: name the provider."
        return ["## Models", sentence] + ([_list_models(manifest)] if manifest.models else [])
    sentence = "It also gets a model that is not listed here, when you name it: new ones appear every day."
    return ["## Models", sentence, _list_models(manifest)]


def _list_models(manifest: Manifest) -> str:
    """A row for all models that are alike; a column of which nothing is known is left out."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for model in manifest.models:
        alike.setdefault(_describe_model(manifest, model), []).append(_show_model(model))
    rows = [(", ".join(names), *cells) for cells, names in alike.items()]
    columns = zip(("models", "can", "tokens in all", "tokens written"), *rows, strict=True)
    return make_table(*zip(*(column for column in columns if any(column[1:])), strict=True))


def _show_model(model: Model) -> str:
    also = f" (also {list_codes(model.aliases)})" if model.aliases else ""
    return f"`{model.id or model.pattern}`{also}"


def _describe_model(manifest: Manifest, model: Model) -> tuple[str, ...]:
    tokens = [f"{limit:,}" if limit else "" for limit in (model.context_tokens, model.output_tokens)]
    return (", ".join(list_abilities(manifest, model)), *tokens)


def _describe_retired(manifest: Manifest) -> list[str]:
    if not manifest.retired:
        return []
    rows = [
        (f"`{old.name}`", f"`{old.model}`", old.date if old.service else "never was a model of this service")
        for old in manifest.retired
    ]
    sentence = "These names lead to another model, and the answer's `warnings` say so."
    return ["## Names that are gone", sentence, make_table(("name", "what answers", "gone since"), *rows)]


def _describe_streams(manifest: Manifest) -> list[str]:
    if manifest.supports("chat") == "no":
        return []
    return ["## Streams", f"{ENDS[manifest.stream_end]} One that ends before is a `StreamTruncatedError`."]


def _tell_need(auth: Auth) -> str:
    """Whether it wants a key."""
    if auth.sign_in:
        return "sign&#8209;in"
    return "no" if not auth.variables else "required" if auth.required else "optional"


def describe_all(providers: list[Provider]) -> str:
    """Write the page that lists all providers."""
    shown = ("chat", "image", "image_edit", "vision", "tools", "embed")
    head = ("provider", "service", "grade", "key", *(name.replace("_", " ") for name in shown))
    rows = [
        (
            f"[{provider.name}]({provider.name.lower()}.md)",
            provider.manifest.title,
            provider.manifest.grade,
            _tell_need(provider.manifest.auth),
            *(SIGNS[provider.manifest.supports(name)].replace("not known", "?") for name in shown),
        )
        for provider in providers
    ]
    intro = (
        "Each provider is chosen by its name, and comes in a pip package of its own."
        " [Keys and providers](../how-to/keys-and-providers.md) tells how one is chosen. A ? means that it depends on"
        " the model or the server."
    )
    return "\n\n".join(["# Providers", intro, make_table(head, *rows)]) + "\n"
