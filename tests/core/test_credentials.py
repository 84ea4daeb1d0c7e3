import copy
import logging
import pickle
import traceback
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.credentials import (
    Secret,
    add_defaults,
    add_settings,
    check_base_url,
    check_settings,
    find_origin,
    find_variable,
    has_access,
    hide_proxy,
    is_among,
    is_foreign,
    list_passwords,
    list_variables,
    make_secret,
    read_variables,
    refuse_key,
    resolve_access,
    scrub,
)
from g4f.errors import InvalidInputError, MissingCredentialsError
from g4f.manifest import Auth, Manifest, Setting

KEY = "sk-a-key-that-nobody-may-see"
OPENAI = Manifest(
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    base_url_variable="OPENAI_BASE_URL",
    hosts=("https://files.openai.com",),
    auth=Auth("header", variables=("OPENAI_API_KEY", "OTHER_KEY")),
    settings=(
        Setting("organization", "OPENAI_ORG_ID", "OpenAI-Organization"),
        Setting("region", "OPENAI_REGION"),
        Setting("fixed", None, "X-Fixed"),
    ),
)
CUSTOM = Manifest(
    title="Custom",
    base_url="http://localhost:8000/v1",
    base_url_variable="CUSTOM_BASE_URL",
    base_url_required=True,
    auth=Auth("header", variables=("CUSTOM_API_KEY",), required=False),
)
CLUSTERED = Manifest(
    title="Clusters",
    base_url="https://api.example.org",
    hosts=("https://api.*.example.org",),
    auth=Auth("header", variables=("X_KEY",)),
)
ENVIRONMENT = {"OPENAI_API_KEY": KEY, "OPENAI_ORG_ID": "us"}


# --- Secrets ---------------------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_to_nobody() -> None:
    """Not in repr, str, formats, containers, logs or tracebacks."""
    secret = Secret(KEY)
    try:
        {}[secret]
    except KeyError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    record = logging.LogRecord("g4f", logging.INFO, "", 0, "%s %r", (secret, [secret]), None)

    assert KEY not in f"{secret} {secret!r} {[secret]} {(secret,)!s} {record.getMessage()} {shown}"
    assert KEY not in str(dir(secret))
    assert not hasattr(secret, "__dict__")
    assert repr(secret) == "Secret('***')"
    assert secret.reveal() == KEY


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_does_not_leave_the_process(leave: Any) -> None:
    """Nor is it copied by accident, in whatever holds it."""
    with pytest.raises(TypeError, match=r"^a Secret cannot be pickled or copied$") as caught:
        leave(Secret(KEY))
    assert KEY not in str(caught.value)
    with pytest.raises(TypeError):
        pickle.dumps(resolve_access("OpenaiChat", OPENAI, variables=ENVIRONMENT))


def test_secrets_are_compared_by_what_they_hold() -> None:
    """And only with secrets."""
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY


def test_secrets_are_taken_out_of_what_a_service_says() -> None:
    """How, is told by `redact`."""
    assert scrub({"got": f"a {KEY}", "status": 401}, [Secret(KEY)]) == {"got": "a [redacted]", "status": 401}
    assert scrub({"got": f"a {KEY}"}, []) == {"got": f"a {KEY}"}


@pytest.mark.parametrize(("key", "found"), [(None, None), ("a", "a"), (" a\n", "a")])
def test_a_key_is_stripped(key: str | None, found: str | None) -> None:
    """As it comes out of files and shells."""
    secret = make_secret(key, "Somebody")

    assert (secret and secret.reveal()) == found
    assert make_secret(secret, "Somebody") is secret


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_refused(key: str) -> None:
    """Silently it would become the environment's key."""
    with pytest.raises(InvalidInputError, match="The api_key for Somebody is empty"):
        make_secret(key, "Somebody")


@pytest.mark.parametrize("key", ["ab\ncd", "schlüssel", "sk-…", "a\x00b", "a\u200bb", "a\r\nX-Header: b"])
def test_a_key_that_no_header_can_carry_is_a_mistake(key: str) -> None:
    """It is named and not shown."""
    with pytest.raises(InvalidInputError, match="The api_key for Somebody has characters") as caught:
        make_secret(key, "Somebody")
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [b"bytes", 5, ["a"], object()])
def test_a_key_is_a_text(key: object) -> None:
    """What else it is, is said by its type only."""
    with pytest.raises(InvalidInputError, match=f"must be a text, not {type(key).__name__}"):
        make_secret(key, "Somebody")


@pytest.mark.parametrize("key", ["sk-proj-1", "gsk_1", "AIzaSy1", "xai-1"])
def test_a_key_in_the_place_of_a_provider_is_refused(key: str) -> None:
    """It is not shown, as a name that nobody has would be."""
    with pytest.raises(InvalidInputError) as caught:
        refuse_key(key)
    assert str(caught.value) == "What was given as the provider looks like a key: pass it as api_key=…"
    for provider in ("OpenaiChat", "my-sk-proxy", "", None, object()):
        refuse_key(provider)


def test_a_proxy_is_held_as_a_key_is() -> None:
    """Its URL may have a password; an empty one is none."""
    proxy = hide_proxy("http://me:word@proxy.example")
    assert proxy == Secret("http://me:word@proxy.example")
    assert hide_proxy(proxy) is proxy
    assert hide_proxy(None) is None
    assert hide_proxy("") is None
    with pytest.raises(InvalidInputError, match=r"^A proxy must be a text, as http://127\.0\.0\.1:8080\.$"):
        hide_proxy(8080)


@pytest.mark.parametrize(
    ("proxy", "password"),
    [
        ("http://me:word@proxy.example:8080", "word"),
        ("http://me:w%40rd%3A1@proxy.example", "w@rd:1"),
        ("http://me:w@r:d@proxy.example", "w@r:d"),
        ("http://a-token@proxy.example", "a-token"),
        ("http://a-token:@proxy.example", "a-token"),
        ("me:word@proxy.example", "word"),
        ("http://proxy.example:8080", None),
        ("http://@proxy.example", None),
    ],
)
def test_a_proxys_password_is_told_from_its_address(proxy: str, password: str | None) -> None:
    """Of all that have one; a name alone may be a token."""
    found = [] if password is None else [Secret(password)]
    assert list_passwords([Secret("http://none"), Secret(proxy)]) == tuple(found)


# --- Access ----------------------------------------------------------------------------------------------------------


def test_the_environment_gives_key_and_settings() -> None:
    """By the variables that the manifest names, for the manifest's address and hosts."""
    access = resolve_access("OpenaiChat", OPENAI, variables={**ENVIRONMENT, "OPENAI_REGION": "eu"})

    assert access.base_url == "https://api.openai.com/v1"
    assert access.secret == Secret(KEY)
    assert access.settings == {"organization": "us", "region": "eu"}
    assert access.headers == {"OpenAI-Organization": "us"}
    assert access.origins == {"https://api.openai.com:443", "https://files.openai.com:443"}
    assert access.foreign is False
    assert KEY not in repr(access)


def test_a_key_that_was_given_comes_before_the_environments() -> None:
    """Whoever passes one means it."""
    assert resolve_access("OpenaiChat", OPENAI, key=Secret("mine"), variables=ENVIRONMENT).secret == Secret("mine")


def test_the_first_variable_that_is_set_wins() -> None:
    """Empty ones count for nothing."""
    variables = {"OPENAI_API_KEY": " ", "OTHER_KEY": "other", "UNRELATED": "x"}

    assert find_variable(OPENAI, variables) == "OTHER_KEY"
    assert resolve_access("OpenaiChat", OPENAI, variables=variables).secret == Secret("other")
    assert find_variable(OPENAI, {}) is None


def test_a_missing_key_is_an_error_that_says_what_to_do() -> None:
    """Before any request."""
    with pytest.raises(
        MissingCredentialsError, match="OpenaiChat needs a key: set OPENAI_API_KEY or OTHER_KEY, or pass"
    ):
        resolve_access("OpenaiChat", OPENAI, variables={})
    unnamed = Manifest(base_url="https://x.example", auth=Auth("header"))
    with pytest.raises(MissingCredentialsError, match=r"X needs a key: pass api_key=…\."):
        resolve_access("X", unnamed, variables={})


@pytest.mark.parametrize("kind", ["none", "own"])
def test_a_provider_without_a_header_for_its_key_can_go_without(kind: Any) -> None:
    """There is none, or it sees to that itself."""
    manifest = Manifest(base_url="https://x.example", auth=Auth(kind))

    assert resolve_access("X", manifest, variables={}).secret is None


def test_a_key_in_the_environment_is_checked_as_one_that_was_given() -> None:
    """The error names the provider."""
    with pytest.raises(InvalidInputError, match="The api_key for OpenaiChat has characters"):
        resolve_access("OpenaiChat", OPENAI, variables={"OPENAI_API_KEY": "sk-…"})


def test_what_the_environment_says_can_be_compared_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of a variable that is named is seen, and no other; what stands for them tells nobody the values."""

    def read() -> int:
        return read_variables(["G4F_TEST_A", "G4F_TEST_B"])

    none = read()
    monkeypatch.setenv("G4F_TEST_A", "1")
    first = read()
    assert first != none
    assert isinstance(first, int)
    monkeypatch.setenv("G4F_TEST_C", "1")
    assert read() == first
    for value in ("2", "", "ä"):
        monkeypatch.setenv("G4F_TEST_A", value)
        assert read() != first
    monkeypatch.setenv("G4F_TEST_A", "1")
    assert read() == first
    monkeypatch.delenv("G4F_TEST_A")
    assert read() == none


def test_an_access_depends_on_the_variables_that_the_manifest_names() -> None:
    """Those of keys, of the address and of settings."""
    names = ("OPENAI_API_KEY", "OTHER_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_REGION")
    assert list_variables(OPENAI) == names
    assert list_variables(Manifest()) == ()


@pytest.mark.parametrize("auth", [Auth("header", variables=("X_KEY",)), Auth("own", variables=("X_KEY",))])
def test_a_provider_that_needs_a_key_goes_nowhere_without_one_of_the_program(auth: Auth) -> None:
    """Where the program says whose keys there are, the environment's is not taken in its place."""
    manifest = Manifest(base_url="https://x.example", auth=auth)
    with pytest.raises(MissingCredentialsError, match=r"^X needs a key: api_key is a mapping that has none for it"):
        resolve_access("X", manifest, closed=True, variables={"X_KEY": KEY})
    mine = resolve_access("X", manifest, key=Secret("mine"), closed=True, variables={"X_KEY": KEY})
    assert mine.secret == Secret("mine")
    elsewhere = resolve_access("X", manifest, base_url="http://localhost:1", closed=True, variables={"X_KEY": KEY})
    assert elsewhere.secret is None


@pytest.mark.parametrize("auth", [Auth(), Auth("header", variables=("X_KEY",), required=False)])
def test_a_provider_that_needs_no_key_goes_without(auth: Auth) -> None:
    """The environment's is not taken either."""
    manifest = Manifest(base_url="https://x.example", auth=auth)
    assert resolve_access("X", manifest, closed=True, variables={"X_KEY": KEY}).secret is None


def test_settings_of_the_program_count_more_than_the_environments() -> None:
    """The others stay; those that travel as headers do so."""
    access = resolve_access("OpenaiChat", OPENAI, variables={**ENVIRONMENT, "OPENAI_REGION": "eu"})
    more = add_settings(access, OPENAI, {"organization": Secret("mine"), "fixed": Secret("x")})

    assert more.settings == {"organization": "mine", "region": "eu", "fixed": "x"}
    assert more.headers == {"OpenAI-Organization": "mine", "X-Fixed": "x"}
    assert (more.secret, more.base_url, more.origins) == (access.secret, access.base_url, access.origins)
    assert add_settings(access, OPENAI, {"region": Secret("us")}).headers == access.headers


def test_what_may_be_in_no_error_is_the_key_and_what_looks_like_one() -> None:
    """What is sent with each request may hold keys, too; what is shorter than those is none."""
    long, short = Secret("x" * 12), Secret("x" * 11)
    for key, own in ((None, ()), ("mine", (Secret("mine"),))):
        access = resolve_access("Ollama", OLLAMA, key=make_secret(key, "Ollama"), variables={})
        assert access.list_secrets() == own
        assert add_defaults(access, {}, {}) is access
        assert add_defaults(access, {"X-A": long, "X-B": short}, {}).list_secrets() == (*own, long)
        both = add_defaults(access, {"X-B": short}, {"key": Secret("in the query")})
        assert both.list_secrets() == (*own, Secret("in the query"))
        assert (both.default_headers, both.default_query) == ({"X-B": short}, {"key": Secret("in the query")})


def test_settings_that_a_provider_does_not_have_are_refused() -> None:
    """With the names of those that it has."""
    check_settings("OpenaiChat", OPENAI, {"organization": "x", "fixed": "y"})
    with pytest.raises(InvalidInputError) as caught:
        check_settings("OpenaiChat", OPENAI, {"organization": "x", "colour": "red"})
    assert str(caught.value) == "OpenaiChat has no setting 'colour'; it has organization, region, fixed."
    with pytest.raises(InvalidInputError, match=r"Ollama has no setting 'region'; it has none\.$"):
        check_settings("Ollama", OLLAMA, {"region": "eu"})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "base_url must be a text, not NoneType."),
        (b"http://x", "base_url must be a text, not bytes."),
        ("localhost:8000", "'localhost:8000' is no http:// or https:// address."),
        ("http://x/v1?key=1", "base_url must not hold a user, a ? or a #: it is what the paths are joined to."),
        ("http://x/v1#top", "base_url must not hold a user, a ? or a #: it is what the paths are joined to."),
        ("http://me:secret@x/v1", "base_url must not hold a user, a ? or a #: it is what the paths are joined to."),
        ("http://@x/v1", "base_url must not hold a user, a ? or a #: it is what the paths are joined to."),
    ],
)
def test_what_paths_cannot_be_joined_to_is_no_base_url(url: object, says: str) -> None:
    """A key in it would be seen wherever addresses are shown."""
    with pytest.raises(InvalidInputError) as caught:
        check_base_url(url)
    assert str(caught.value) == says
    assert check_base_url("http://localhost:8000/v1") == "http://localhost:8000/v1"


OLLAMA = Manifest(
    base_url="http://127.0.0.1:11434/v1",
    base_url_variable="OLLAMA_HOST",
    base_url_path="/v1",
)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("0.0.0.0:11434", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),  # noqa: S104 - nothing is bound
        (":8080", "http://127.0.0.1:8080/v1"),
        ("gpu", "http://gpu:11434/v1"),
        ("[::]:1234", "http://[::1]:1234/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("http://0.0.0.0:11434/", "http://127.0.0.1:11434/v1"),
        ("https://gpu.example", "https://gpu.example/v1"),
        ("https://gpu.example/ollama/v1/", "https://gpu.example/ollama/v1"),
        ("https://gpu.example/X/", "https://gpu.example/X"),
    ],
)
def test_an_address_may_name_a_server_alone(said: str, address: str) -> None:
    """Where the manifest says how it goes on; in the variable, and in the program as far as it is a URL there."""
    assert resolve_access("Ollama", OLLAMA, variables={"OLLAMA_HOST": said}).base_url == address
    if said.startswith("http"):
        assert resolve_access("Ollama", OLLAMA, base_url=said, variables={}).base_url == address


def test_what_is_no_address_is_told_by_the_name_of_its_variable() -> None:
    """Whatever is in it."""
    for said in ("::1", "gpu:port", "ftp://gpu"):
        with pytest.raises(InvalidInputError, match="The variable OLLAMA_HOST is wrong"):
            resolve_access("Ollama", OLLAMA, variables={"OLLAMA_HOST": said})
    assert resolve_access("Ollama", OLLAMA, variables={}).base_url == "http://127.0.0.1:11434/v1"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://evil.example/v1",
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.evil.example",
        "https://api.openai.com@evil.example/",
        "https://evil.example\\@api.openai.com.x/",
        "http://localhost:1234/v1",
    ],
)
def test_a_foreign_address_gets_nothing_from_the_environment(base_url: str) -> None:
    """Neither key nor settings; only what was given with it. Another scheme or port is foreign as well."""
    access = resolve_access("OpenaiChat", OPENAI, base_url=base_url, variables=ENVIRONMENT)
    assert access.secret is None
    assert access.headers == {}
    assert access.origins == {find_origin(base_url)}
    assert access.foreign is True

    given = resolve_access("OpenaiChat", OPENAI, key=Secret("mine"), base_url=base_url, variables=ENVIRONMENT)
    assert given.secret == Secret("mine")


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.openai.com/v2/",
        "https://API.openai.com",
        "https://files.openai.com/x",
        "https://api.openai.com:443",
        "https://api.openai.com/X",
    ],
)
def test_an_address_of_the_manifests_own_origins_is_not_foreign(base_url: str) -> None:
    """Another path at the same service gets the same key."""
    access = resolve_access("OpenaiChat", OPENAI, base_url=base_url, variables=ENVIRONMENT)

    assert access.secret == Secret(KEY)
    assert access.base_url == base_url.rstrip("/")


@pytest.mark.parametrize(
    ("manifest", "base_url", "foreign"),
    [
        (OPENAI, "https://api.openai.com/v2", False),
        (OPENAI, "https://files.openai.com", False),
        (OPENAI, "https://gateway.example/v1", True),
        (OLLAMA, "http://0.0.0.0:11434", False),
        (OLLAMA, "http://gpu", True),
        (CUSTOM, "http://gpu:8000", False),
        (Manifest(), "http://gpu", True),
    ],
)
def test_another_server_knows_models_of_its_own(manifest: Manifest, base_url: str, foreign: bool) -> None:
    """Unless the provider is for whatever server is named."""
    assert is_foreign(manifest, base_url) is foreign


def test_an_address_from_the_environment_gets_the_environments_key() -> None:
    """Who sets one sets the other; and a program that names the same address means the same."""
    variables = {**ENVIRONMENT, "OPENAI_BASE_URL": " https://gateway.example/v1/ "}
    for base_url in (None, "https://gateway.example/other"):
        access = resolve_access("OpenaiChat", OPENAI, base_url=base_url, variables=variables)
        assert access.secret == Secret(KEY)
        assert access.headers == {"OpenAI-Organization": "us"}
        assert "https://gateway.example:443" in access.origins
    assert resolve_access("OpenaiChat", OPENAI, variables=variables).base_url == "https://gateway.example/v1"


def test_an_address_that_is_needed_must_be_named() -> None:
    """The manifest's own is an example then."""
    with pytest.raises(MissingCredentialsError, match=r"pass base_url=… or set CUSTOM_BASE_URL\."):
        resolve_access("Custom", CUSTOM, variables={})
    with pytest.raises(MissingCredentialsError, match=r"where its server is: pass base_url=…\.$"):
        resolve_access("Custom", Manifest(base_url_required=True), variables={})
    access = resolve_access("Custom", CUSTOM, base_url="http://localhost:9000/v1/", variables={})
    assert (access.base_url, access.secret) == ("http://localhost:9000/v1", None)
    variables = {"CUSTOM_BASE_URL": "http://10.0.0.1/v1", "CUSTOM_API_KEY": KEY}
    access = resolve_access("Custom", CUSTOM, variables=variables)
    assert (access.base_url, access.secret) == ("http://10.0.0.1/v1", Secret(KEY))


def test_a_wrong_address_in_the_environment_is_named_by_its_variable() -> None:
    """Nobody finds it otherwise; without a scheme it is the usual mistake."""
    with pytest.raises(InvalidInputError, match=r"The variable OPENAI_BASE_URL is wrong: 'localhost:8000'"):
        resolve_access("OpenaiChat", OPENAI, variables={**ENVIRONMENT, "OPENAI_BASE_URL": "localhost:8000"})


def test_a_provider_without_an_address_has_no_origins() -> None:
    """It speaks no HTTP."""
    access = resolve_access("Local", Manifest(), variables={})

    assert (access.base_url, access.origins) == ("", frozenset())


@pytest.mark.parametrize(
    ("manifest", "variables", "able", "able_by_choice"),
    [
        (OPENAI, {}, False, False),
        (OPENAI, {"OPENAI_API_KEY": "x"}, True, True),
        (OPENAI, {"OPENAI_API_KEY": "  "}, False, False),
        (Manifest(auth=Auth("header", variables=("GITHUB_TOKEN",))), {"GITHUB_TOKEN": "x"}, False, True),
        (Manifest(auth=Auth("own", variables=("GH_TOKEN", "X_KEY"))), {"GH_TOKEN": "x"}, False, True),
        (Manifest(auth=Auth("own", variables=("GH_TOKEN", "X_KEY"))), {"GH_TOKEN": "x", "X_KEY": "y"}, True, True),
        (Manifest(), {}, True, True),
        (CUSTOM, {}, False, False),
        (CUSTOM, {"CUSTOM_BASE_URL": " "}, False, False),
        (CUSTOM, {"CUSTOM_BASE_URL": "http://x"}, True, True),
    ],
)
def test_the_environment_lets_a_provider_work_or_not(
    manifest: Manifest, variables: dict[str, str], able: bool, able_by_choice: bool
) -> None:
    """Tokens that are there for other purposes serve a provider that was chosen, and choose none."""
    assert has_access(manifest, generic=False, variables=variables) is able
    assert has_access(manifest, variables=variables) is able_by_choice


def test_without_a_variable_for_it_the_environment_names_no_address() -> None:
    """Where one is needed only the program can."""
    assert not has_access(Manifest(base_url_required=True))


# --- Origins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example.org/v1?x#y", "https://api.example.org:443"),
        ("http://x", "http://x:80"),
        ("HTTP://x:8080/", "http://x:8080"),
        ("https://me:secret@x/", "https://x:443"),
        ("http://[::1]:1234/v1", "http://::1:1234"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    """The port is always written out."""
    assert find_origin(url) == origin


@pytest.mark.parametrize(
    "url", ["", "x", "localhost:8000", "ftp://x", "file:///etc/passwd", "http://", "http://x:y", "http://[", "//x"]
)
def test_what_is_no_http_address_has_no_origin(url: str) -> None:
    """It is said what it must be."""
    with pytest.raises(InvalidInputError, match=r"is no (URL|http:// or https:// address)"):
        find_origin(url)


@given(st.text())
def test_no_text_breaks_it(url: str) -> None:
    """An origin or an error of ours."""
    for text in (url, f"http://{url}"):
        with suppress(InvalidInputError):
            assert find_origin(text).startswith("http")


CLUSTERS = {"https://api.example.org:443", "https://api.*.example.org:443"}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org/v1",
        "https://api.eu1.example.org/v1/result?id=1",
        "https://API.EU-2.EXAMPLE.ORG:443",
    ],
)
def test_a_star_stands_for_one_label_of_a_host(url: str) -> None:
    """So that a service may tell the cluster that it means only in its answers."""
    assert is_among(url, CLUSTERS)
    access = resolve_access("X", CLUSTERED, base_url=url.partition("?")[0], variables={"X_KEY": KEY})
    assert access.secret == Secret(KEY)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.eu1.example.org",
        "https://api.eu1.example.org:8443",
        "https://api.a.b.example.org",
        "https://api..example.org",
        "https://api.eu1.example.org.evil.example",
        "https://eu1.example.org",
        "https://apixeu1.example.org",
        "https://evil.example/api.eu1.example.org",
        "https://evil.example?api.eu1.example.org",
        "https://api.eu1.example.org@evil.example",
        "https://evil.example\\.eu1.example.org",
        "https://api.evil。example.example.org",
        "https://api.eu1.exampleXorg",
    ],
)
def test_no_other_host_fits_a_star(url: str) -> None:
    """The key does not go there."""
    assert not is_among(url, CLUSTERS)
    assert resolve_access("X", CLUSTERED, base_url=url, variables={"X_KEY": KEY}).secret is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://user:sk-secret@host/v1?key=sk-secret#sk-secret", "'ftp://host/v1'"),
        ("ftp://user:sk-se/cret@host", "'ftp://host'"),
        ("user:sk-secret@host:99999/v1", "'host:99999/v1'"),
        ("host.example/v1#a?b", "'host.example/v1'"),
        ("server", "'server'"),
        ("elevenchars", "'elevenchars'"),
        ("twelve-chars", "What was given"),
        ("http://[", "'http://['"),
    ],
)
def test_what_is_no_address_is_shown_without_what_may_be_a_key(url: str, shown: str) -> None:
    """Neither a user nor a query, nor what may be a key as a whole."""
    with pytest.raises(InvalidInputError) as caught:
        find_origin(url)
    assert str(caught.value).startswith(f"{shown} is no ")
