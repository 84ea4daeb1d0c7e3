"""Signing in with a code, keeping that, and renewing it, by MSAL against a service on loopback."""

from __future__ import annotations

import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from g4f import AsyncClient
from g4f.errors import APIConnectionError, InvalidInputError, MissingCredentialsError
from g4f_provider_copilot.m365 import sign_in
from g4f_provider_copilot.m365.sign_in import Application, SignIn, get_token, load_sign_in, save_sign_in
from loopback import reply_json
from plugins.provider_copilot.entra import CLIENT, USER, Entra
from plugins.provider_copilot.graph import Graph, make_error


def _sign_in(entra: Entra, tenant: str = "organizations") -> SignIn:
    return sign_in.sign_in_with_code(Application(CLIENT, tenant, entra.server.url), lambda address, code: None)


def _expire(path: Path) -> None:
    kept = load_sign_in(path)
    assert kept is not None
    save_sign_in(path, attrs.evolve(kept, expires_at=time.time() + 60))


def test_a_sign_in_asks_for_a_code_and_waits(entra: Entra) -> None:
    """For all permissions that the service needs, and nothing beyond what MSAL adds."""
    shown: list[tuple[str, str]] = []
    application = Application(CLIENT, "organizations", entra.server.url)
    done = sign_in.sign_in_with_code(application, lambda address, code: shown.append((address, code)))
    assert shown == [("https://microsoft.example/devicelogin", "AB12CD34E")]
    assert (done.user, done.token, done.application) == (USER, "access-token-1", application)
    assert time.time() + 3500 < done.expires_at < time.time() + 3700
    [asked] = entra.list_forms("devicecode")
    assert set(asked["scope"].split()) == {*sign_in.SCOPES, "openid", "profile", "offline_access"}
    assert [form["device_code"] for form in entra.list_forms("token")] == ["the-device-code"] * 2


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems have these permissions")
def test_a_sign_in_that_others_can_read_is_not_used(entra: Entra, token_file: Path) -> None:
    """It says what to do; then it is used."""
    save_sign_in(token_file, _sign_in(entra))
    for mode in (0o640, 0o604):
        token_file.chmod(mode)
        with pytest.raises(MissingCredentialsError, match=rf"Others can read .*: run chmod 600 {token_file}"):
            load_sign_in(token_file)
    token_file.chmod(0o600)
    assert load_sign_in(token_file) is not None


def test_what_is_kept_is_readable_to_its_user_alone(entra: Entra, token_file: Path) -> None:
    """The file and the folder, whatever was there before, and nothing is left beside it."""
    done = _sign_in(entra)
    token_file.parent.mkdir(mode=0o700)
    token_file.write_text("old")
    token_file.chmod(0o666)
    save_sign_in(token_file, done)
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert list(token_file.parent.iterdir()) == [token_file]
    assert load_sign_in(token_file) == done


def test_a_new_folder_is_its_users_alone(entra: Entra, token_file: Path) -> None:
    """Nobody else looks into it."""
    save_sign_in(token_file, _sign_in(entra))
    assert stat.S_IMODE(token_file.parent.stat().st_mode) == 0o700


def test_a_sign_in_shows_no_token(entra: Entra) -> None:
    """A repr goes into logs."""
    shown = repr(_sign_in(entra))
    assert "access-token" not in shown
    assert "refresh-token" not in shown


def test_a_good_token_is_used_as_it_is(entra: Entra, token_file: Path) -> None:
    """Nobody is asked."""
    save_sign_in(token_file, _sign_in(entra))
    entra.server.requests.clear()
    assert get_token(token_file) == "access-token-1"
    assert entra.server.requests == []


def test_a_token_that_runs_out_is_renewed_and_kept(entra: Entra, token_file: Path) -> None:
    """By the refresh token; the next one who asks gets the new one."""
    save_sign_in(token_file, _sign_in(entra))
    _expire(token_file)
    # MSAL's own copy of the token must be as old
    kept = json.loads(token_file.read_text())
    cache = json.loads(kept["cache"])
    for item in cache["AccessToken"].values():
        item["expires_on"] = str(int(time.time()) + 60)
    token_file.write_text(json.dumps({**kept, "cache": json.dumps(cache)}))
    assert [get_token(token_file), get_token(token_file)] == ["access-token-2"] * 2
    renewals = [form for form in entra.list_forms("token") if form["grant_type"] == "refresh_token"]
    assert [form["refresh_token"] for form in renewals] == ["refresh-token-1"]
    renewed = load_sign_in(token_file)
    assert renewed is not None
    assert (renewed.user, "refresh-token-2" in renewed.cache) == (USER, True)


def test_of_many_who_find_it_run_out_one_renews_it(entra: Entra, token_file: Path) -> None:
    """The others wait and take what it got."""
    entra.lifetime = 60
    save_sign_in(token_file, _sign_in(entra))
    entra.lifetime = 3600
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: get_token(token_file), range(8)))
    assert tokens == {"access-token-2"}
    assert entra.issued == 2


def test_a_sign_in_that_has_ended_must_be_made_again(entra: Entra, token_file: Path) -> None:
    """In Microsoft's words, without its ids of traces."""
    entra.lifetime = 60
    save_sign_in(token_file, _sign_in(entra))
    text = "AADSTS700082: The refresh token has expired. Trace ID: 1 Correlation ID: 2\r\nTimestamp: now"
    entra.refusal = {"error": "invalid_grant", "error_description": text}
    with pytest.raises(MissingCredentialsError) as caught:
        get_token(token_file)
    assert str(caught.value) == (
        "There is no sign-in to Microsoft 365: AADSTS700082: The refresh token has expired. "
        "Sign in with g4f auth copilot."
    )


def test_a_user_who_declines_is_not_signed_in(entra: Entra) -> None:
    """Nothing is kept."""
    entra.refusal = {"error": "authorization_declined", "error_description": "AADSTS70018: The user declined."}
    with pytest.raises(MissingCredentialsError, match="The user declined"):
        _sign_in(entra)


def test_an_application_that_is_refused_is_told(entra: Entra) -> None:
    """As one that Entra does not know."""
    entra.code_refusal = {"error": "unauthorized_client", "error_description": "AADSTS700016: Application not found."}
    with pytest.raises(InvalidInputError, match="refuses to begin a sign-in: AADSTS700016: Application not found"):
        _sign_in(entra)


def test_an_organization_that_does_not_exist_is_told(entra: Entra) -> None:
    """MSAL finds no description of it."""
    with pytest.raises(InvalidInputError, match="knows no such sign-in"):
        _sign_in(entra, "nowhere")


def test_a_service_that_cannot_be_reached_is_told(token_file: Path) -> None:
    """Its name, and no more."""
    with pytest.raises(
        APIConnectionError, match=r"https://127\.0\.0\.1:9 cannot be reached to sign in: ConnectionError"
    ):
        sign_in.sign_in_with_code(
            Application(CLIENT, "organizations", "https://127.0.0.1:9"), lambda address, code: None
        )


@pytest.mark.parametrize(
    "text", ["", "no", "[]", "{}", '{"application": {}}', '{"application": {"client_id": "1"}, "x": 1}']
)
def test_a_file_of_something_else_is_no_sign_in(text: str, token_file: Path) -> None:
    """It is left alone, and named."""
    token_file.parent.mkdir()
    token_file.write_text(text)
    token_file.chmod(0o600)
    with pytest.raises(MissingCredentialsError, match="cannot be used: it is no sign-in of g4f"):
        load_sign_in(token_file)
    assert token_file.read_text() == text


def test_without_a_setting_it_is_kept_in_the_users_data_folder() -> None:
    """Of the system's own choice."""
    path = sign_in.find_token_file({})
    assert (path.name, path.parent.name, path.is_absolute()) == ("copilot.json", "g4f", True)
    assert sign_in.find_token_file({"token_file": "~/x.json"}) == Path.home() / "x.json"


async def test_a_chat_is_authorized_by_the_sign_in(
    entra: Entra, graph: Graph, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewed when it must be, at the address that the environment names; a token of the user's own comes first."""
    entra.lifetime = 60
    save_sign_in(token_file, _sign_in(entra))
    entra.lifetime = 3600
    monkeypatch.setenv("M365_COPILOT_BASE_URL", graph.server.url)
    async with AsyncClient(provider="Copilot") as client:
        await client.chat.completions.create("Hi")
        monkeypatch.setenv("M365_COPILOT_TOKEN", "a-token-of-ones-own")
        await client.chat.completions.create("Hi")
    assert [request.key for request in graph.turns] == ["access-token-2", "a-token-of-ones-own"]


async def test_a_foreign_address_never_sees_the_sign_in(entra: Entra, graph: Graph, token_file: Path) -> None:
    """Though there is one."""
    save_sign_in(token_file, _sign_in(entra))
    async with AsyncClient(provider="Copilot", base_url=graph.server.url) as client:
        await client.chat.completions.create("Hi")
    assert {request.key for request in graph.server.requests} == {None}


async def test_a_kept_token_that_the_service_echoes_is_shown_to_nobody(
    entra: Entra, graph: Graph, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was given."""
    save_sign_in(token_file, _sign_in(entra))
    monkeypatch.setenv("M365_COPILOT_BASE_URL", graph.server.url)
    graph.turn = reply_json(make_error("BadRequest", "access-token-1 is odd"), 400)
    async with AsyncClient(provider="Copilot") as client:
        with pytest.raises(Exception, match=r"\[redacted\] is odd") as caught:
            await client.chat.completions.create("Hi")
    assert "access-token-1" not in repr(vars(caught.value))
