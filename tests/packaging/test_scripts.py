"""The scripts on machines of every kind, with a scripted Python in place of the machine's own.

That the environment they make works is shown by the run of the tests itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from plugins.provider_local.tiny import write_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the scripts are for POSIX shells")

ROOT = Path(__file__).parents[2]
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
PYTHON = f"""#!/bin/sh
[ "$HAS" != none ] || exit 1
echo "$*" >>"$LOG"
case $* in
    -V) echo Python 3.12.1 ;;
    *version_info*) echo 3.12 ;;
    *ensurepip*) [ "$HAS" != no-venv ] ;;
    *fcntl*) exec '{sys.executable}' "$@" ;;
    *venv*) [ "$HAS" != slow-venv ] || exec '{sys.executable}' "$@"
        mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp program .venv/bin/g4f ;;
    *pip*) while [ -e "$WAIT" ]; do sleep 0.1; done
        [ ! -e "$FAIL" ] || exec cat "$FAIL" missing ;;
esac
"""
# A shell's words that write what follows them into the file that the last argument names.
WRITE_LAST = 'for file; do :; done; write() { echo "$*" >"$file"; }; write'
PROGRAM = """#!/bin/sh
echo "$# $*: $(cat)"
exit 3
"""


class Machine:
    """A checkout in a folder with a space in its name, and what is installed beside it."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.log = folder / "log"
        self.wait = folder / "wait"
        self.fail = folder / "fail"
        self._bin = folder / "bin"
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "plugins/one/pyproject.toml"):
            self.change(name)
        self._install(self.checkout / "program", PROGRAM)
        for name in NAMES:
            self._install(self._bin / name, PYTHON)
        self._install(self._bin / "apt-get", "#!/bin/sh\n")

    def start(self, script: str, *arguments: str, has: str = "all", at: Path | None = None) -> subprocess.Popen[str]:
        """Start a script from another folder."""
        environment: Mapping[str, str] = {
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "HAS": has,
            "LOG": str(self.log),
            "WAIT": str(self.wait),
            "FAIL": str(self.fail),
        }
        return subprocess.Popen(
            [at or self.checkout / "scripts" / script, *arguments],
            cwd=self._bin,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that an interruption reaches what the script has started, and not us
        )

    def run(self, script: str, *arguments: str, has: str = "all", at: Path | None = None) -> tuple[int, str, str]:
        """Run a script that reads `typed`, and return its exit code, output and errors."""
        process = self.start(script, *arguments, has=has, at=at)
        out, err = process.communicate("typed")
        return process.returncode, out, err

    def change(self, name: str, text: str = "#\n") -> None:
        """Add a line to a file of the checkout."""
        path = self.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    def list_installs(self) -> list[str]:
        """With which pins environments were filled so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line.split()[-1] for line in lines if "--require-hashes" in line]

    def count_installs(self) -> int:
        """How many environments were filled so far."""
        return len(self.list_installs())

    def _install(self, path: Path, text: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def install_uv(self, text: str) -> None:
        """Set up, and put a program in the place of uv."""
        self.run("setup", "dev")
        self._install(self.checkout / ".venv" / "bin" / "uv", text)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that has all that is needed."""
    return Machine(tmp_path)


def test_the_program_gets_input_and_arguments_and_keeps_its_exit_code(machine: Machine) -> None:
    """Set-up neither reads what is meant for the program nor prints among its answers."""
    code, out, err = machine.run("g4f", "two words", "more")
    assert (code, out) == (3, "2 two words more: typed\n")
    assert "Setting up" in err


def test_a_set_up_shows_one_line_a_step(machine: Machine) -> None:
    """With how far it is; the pins are counted, and pip is quiet."""
    machine.change("requirements.lock", "one==1 \\\n    --hash=sha256:0\ntwo==2 ; python_version < '3.12' \\\n")
    err = machine.run("setup")[2]
    assert err.splitlines() == [
        "Setting up .venv with Python 3.12.1: this takes about a minute, once ...",
        "  1/3 making the environment",
        "  2/3 installing 2 packages that it needs",
        "  3/3 installing g4f",
        "Ready.",
    ]
    pip = [line for line in machine.log.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    assert all("--quiet" in line for line in pip)


def test_what_pip_complains_of_is_shown(machine: Machine) -> None:
    """It is quiet, not dumb."""
    machine.fail.write_text("ERROR: one\nERROR: two\n")
    assert "needs\nERROR: one\nERROR: two\n" in machine.run("setup")[2]


def test_a_second_run_starts_at_once(machine: Machine, tmp_path: Path) -> None:
    """Through a symbolic link to the script too."""
    machine.run("g4f")
    link = tmp_path / "link"
    link.symlink_to(machine.checkout / "scripts" / "g4f")
    assert machine.run("g4f", "again", at=link) == (3, "1 again: typed\n", "")
    assert machine.count_installs() == 1


@pytest.mark.parametrize(
    ("name", "installs"),
    [
        ("requirements.lock", 2),
        ("plugins/two/pyproject.toml", 2),
        ("pyproject.toml", 2),
        ("requirements-dev.lock", 1),
    ],
)
def test_a_pull_sets_up_again_only_when_needed(machine: Machine, name: str, installs: int) -> None:
    """Pins for users, packages and their metadata count; pins for contributors do not."""
    machine.run("g4f")
    machine.change(name)
    machine.run("g4f")
    assert machine.count_installs() == installs


def test_settings_of_tools_need_no_new_set_up(machine: Machine) -> None:
    """They stand below the first tool's table."""
    machine.change("pyproject.toml", "[tool.ruff]\n")
    machine.run("g4f")
    machine.change("pyproject.toml", "line-length = 1\n")
    machine.run("g4f")
    assert machine.count_installs() == 1


def test_a_moved_checkout_is_set_up_again(machine: Machine, tmp_path: Path) -> None:
    """An environment knows its own path and does not work elsewhere."""
    machine.run("g4f")
    machine.checkout = machine.checkout.rename(tmp_path / "elsewhere")
    machine.run("g4f")
    assert machine.count_installs() == 2


def test_the_next_run_recovers_from_a_failed_set_up(machine: Machine) -> None:
    """The stamp is written last."""
    machine.fail.touch()
    code, out, _ = machine.run("g4f")
    assert (code, out) == (1, "")
    machine.fail.unlink()
    assert machine.run("g4f")[0] == 3


@pytest.mark.parametrize("stranger", ["a folder", "a file", "a link to nowhere"])
def test_an_environment_that_the_user_made_is_left_alone(machine: Machine, stranger: str) -> None:
    """One sentence says what to do."""
    venv = machine.checkout / ".venv"
    if stranger == "a folder":
        (venv / "bin").mkdir(parents=True)
        (venv / "bin/mine").touch()
    elif stranger == "a file":
        venv.touch()
    else:
        venv.symlink_to("nowhere")
    assert machine.run("g4f") == (
        1,
        "",
        "The folder .venv was not made by scripts/setup and is left alone: rename or remove it, then try again.\n",
    )
    assert machine.count_installs() == 0
    assert os.path.lexists(venv)
    assert stranger != "a folder" or (venv / "bin/mine").exists()


def test_an_empty_folder_is_nobodys(machine: Machine) -> None:
    """A set-up that was killed at its first step leaves one."""
    (machine.checkout / ".venv").mkdir()
    assert machine.run("g4f")[0] == 3


def test_an_environment_is_rebuilt_without_what_lay_in_it(machine: Machine) -> None:
    """Packages of another Python would be in the way."""
    machine.run("g4f")
    (machine.checkout / ".venv/old").touch()
    machine.change("requirements.lock")
    machine.run("g4f")
    assert not (machine.checkout / ".venv/old").exists()


def test_a_contributor_keeps_the_larger_environment(machine: Machine) -> None:
    """Once it was asked for it stays; that pytest lies in an environment asks for nothing."""
    machine.run("g4f")
    (machine.checkout / ".venv/bin/pytest").touch()
    machine.run("g4f")
    assert machine.count_installs() == 1
    machine.run("setup", "dev")
    machine.run("g4f")
    assert machine.list_installs() == ["requirements.lock", "requirements-dev.lock"]


def test_a_users_environment_is_not_replaced_by_a_contributors_without_a_word(machine: Machine) -> None:
    """A running g4f would lose what it imports; who has none, or a contributor's, need not hear of it."""
    says = "This replaces .venv, which a running g4f uses: stop that first."
    assert says not in machine.run("setup", "run")[2]
    assert says in machine.run("setup", "dev")[2]
    machine.change("requirements-dev.lock", "one==1\n")
    assert says not in machine.run("setup", "dev")[2]


def test_a_contributors_set_up_that_failed_is_begun_again_as_one(machine: Machine) -> None:
    """Whichever script is run next."""
    machine.fail.touch()
    machine.run("setup", "dev")
    machine.fail.unlink()
    machine.run("g4f")
    assert machine.list_installs() == ["requirements-dev.lock"] * 2


def test_two_at_once_set_up_one_after_the_other(machine: Machine) -> None:
    """The second waits for the first and then has nothing to do."""
    machine.wait.touch()
    first = machine.start("g4f")
    assert first.stderr is not None
    assert "Setting up" in first.stderr.readline()
    second = machine.start("g4f")
    assert second.stderr is not None
    assert "Waiting for another set-up" in second.stderr.readline()
    machine.wait.unlink()
    for process in (first, second):
        process.communicate("")
        assert process.returncode == 3
    assert machine.count_installs() == 1


def test_an_interrupted_set_up_says_one_sentence_and_can_be_run_again(machine: Machine) -> None:
    """While the environment is made, by the real Python, which takes seconds."""
    process = machine.start("setup", has="slow-venv")
    begun = machine.checkout / ".venv/pyvenv.cfg"
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.01)
    assert interrupt(process) == (130, "Interrupted; run it again.")
    assert machine.run("g4f")[0] == 3


# Builds an editable wheel without any tool (PEP 660).
BACKEND = """
import tomllib
from pathlib import Path
from zipfile import ZipFile

def build_editable(folder, config_settings=None, metadata_directory=None):
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    name = f"{project['name']}-1.0"
    with ZipFile(Path(folder, f"{name}-py3-none-any.whl"), "w") as wheel:
        wheel.writestr(f"{project['name']}.pth", str(Path.cwd()))
        head = f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: 1.0\\n"
        wheel.writestr(f"{name}.dist-info/METADATA", head)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{name}.dist-info/entry_points.txt", "[console_scripts]\\ng4f = program:main\\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return f"{name}-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{}"
version = "1.0"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout for the machine's own Python and pip; what it pins is a wheel in a folder beside it."""
    wheels, folder = tmp_path / "wheels", tmp_path / "a checkout"
    wheels.mkdir()
    write_wheel(wheels, "pinned", b"x" * 10_000_000)
    (wheel,) = wheels.iterdir()
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "requirements.lock").write_text(f"pinned==1.0 --hash=sha256:{digest}\n")
    for name, place in {"whole": folder, "part": folder / "plugins/one"}.items():
        place.mkdir(parents=True, exist_ok=True)
        (place / "pyproject.toml").write_text(PYPROJECT.format(name))
        (place / "backend.py").write_text(BACKEND)
    (folder / "program.py").write_text("def main():\n    return 3\n")
    return folder


@pytest.mark.moments(2)
def test_a_set_up_is_interrupted_at_random_moments(checkout: Path, moments: list[float]) -> None:
    """By the real Python and pip; it ends with its exit code, leaves no process, and the next run goes on."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout.parent / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    variables = {**os.environ, **offline, "PIP_NO_CACHE_DIR": "1"}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [checkout / "scripts/g4f"],
            cwd="/",
            env=variables,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    begun = time.monotonic()
    assert "Ready." in start().communicate()[1]
    seconds = time.monotonic() - begun
    for moment in moments:
        (checkout / ".venv/stamp").write_text("run")  # as after a pull
        process = start()
        time.sleep(seconds * moment)
        code, said = interrupt(process)
        # (A Python that is interrupted before it runs anything has words of its own, and they come before ours.)
        assert code == 3 or (code == 130 and (not said or said.endswith("Interrupted; run it again."))), said
        end = time.monotonic() + 10
        while list_running(process.pid):
            assert time.monotonic() < end
            time.sleep(0.01)
    last = start()
    last.communicate()
    assert last.returncode == 3


def list_running(group: int) -> list[str]:
    """What runs of a process group, by the file that Linux has of each process; elsewhere nobody looks."""
    stats = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            stats.append(file.read_text().rpartition(")")[2].split())
    return [state for state, _, its_group, *_ in stats if its_group == str(group) and state != "Z"]


def test_an_interrupted_wait_for_another_set_up_says_one_sentence(machine: Machine) -> None:
    """The other goes on."""
    machine.wait.touch()
    first = machine.start("setup")
    assert first.stderr is not None
    first.stderr.readline()
    second = machine.start("setup")
    assert second.stderr is not None
    assert "Waiting for another set-up" in second.stderr.readline()
    assert interrupt(second) == (130, "Interrupted; run it again.")
    machine.wait.unlink()
    first.communicate("")
    assert first.returncode == 0


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl-C; return the exit code and what was said after the first line."""
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate("", timeout=30)
    said = [line for line in told.splitlines() if not line.startswith(("Setting up", "  "))]
    return process.returncode, "\n".join(said)


def test_without_a_python_one_sentence_says_so(machine: Machine) -> None:
    """Older ones do not count."""
    code, out, err = machine.run("g4f", has="none")
    assert (code, out) == (1, "")
    assert err == "g4f needs Python 3.11 or newer, and there is none on the PATH.\n"


def test_the_packages_that_debian_splits_off_are_named(machine: Machine) -> None:
    """With the version of the Python that is there."""
    code, out, err = machine.run("g4f", has="no-venv")
    assert (code, out) == (1, "")
    assert "sudo apt install python3.12-venv libgomp1\n" in err


@pytest.mark.parametrize(
    ("audit", "code", "says"),
    [
        ("exit 0", 0, "pip-audit: clean; no weakness is known of what requirements-dev.lock pins.\n"),
        (f"{WRITE_LAST} one 1.0 PYSEC-1; exit 1", 1, "one 1.0 PYSEC-1\n"),
        ("echo tried >&2; echo nobody answers >&2; exit 1", 0, "pip-audit: not checked. nobody answers\n"),
        ("exit 2", 0, "pip-audit: not checked. \n"),
    ],
)
def test_an_audit_that_could_not_be_made_is_not_called_clean(
    machine: Machine, audit: str, code: int, says: str
) -> None:
    """Only a weakness that was found makes it fail."""
    machine.install_uv(f"#!/bin/sh\n{audit}\n")
    assert machine.run("audit")[:2] == (code, says)
