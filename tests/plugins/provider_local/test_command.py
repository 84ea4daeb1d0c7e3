from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from g4f.errors import G4FError, ModelNotFoundError
from g4f_provider_local.catalogue import read_catalogue
from g4f_provider_local.command import command

MODEL = "smollm2-135m-instruct"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("G4F_CACHE_DIR", str(tmp_path))
    return tmp_path / "local"


def put_weights(cache: Path) -> Path:
    """Put a file of the right size, which is all zeros, in the place of the model's."""
    model = read_catalogue()[MODEL]
    path = cache / model.sha256 / model.file
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(model.size)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_models_are_listed_with_where_they_are(cache: Path) -> None:
    """For people and for programs."""
    path = put_weights(cache)
    lines = run("list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(read_catalogue())
    assert [line.split()[-1] for line in lines] == ["Apache-2.0", str(path)]
    found = {model["id"]: model["path"] for model in json.loads(run("list", "--json").output)}
    assert found[MODEL] == str(path)


def test_what_is_there_is_not_fetched_again(cache: Path) -> None:
    """Its path is printed, by an alias too."""
    path = put_weights(cache)
    assert run(MODEL).output == run("smollm2-135m").output == f"{path}\n"


def test_weights_are_removed(cache: Path) -> None:
    """With their folder; then there is nothing to remove."""
    path = put_weights(cache)
    size = round(path.stat().st_size / 1e6)
    assert run("remove", MODEL).output == f"{size} MB are free again.\n"
    assert not path.parent.exists()
    result = run("remove", MODEL)
    assert isinstance(result.exception, G4FError)
    assert "Nothing of" in str(result.exception)


def test_files_of_the_user_are_left_alone(cache: Path, tmp_path: Path) -> None:
    """They are no weights of ours."""
    mine = tmp_path / "mine.gguf"
    mine.touch()
    result = run("remove", str(mine))
    assert isinstance(result.exception, G4FError)
    assert mine.exists()


def test_an_unknown_model_says_which_there_are(cache: Path) -> None:
    """Nothing is fetched."""
    result = run("nothing")
    assert isinstance(result.exception, ModelNotFoundError)
    assert MODEL in str(result.exception)
    assert not cache.exists()
