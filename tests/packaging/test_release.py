"""`scripts/release` signs the sums of what it built, and finds what was changed since. That it builds, a run shows."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from environments import ROOT

KEYGEN = shutil.which("ssh-keygen") or ""
pytestmark = pytest.mark.skipif(
    not (KEYGEN and shutil.which("sha256sum")), reason="ssh-keygen signs, and sha256sum checks"
)


class Release:
    """A checkout in which a release was built, and the keys of its signer and of a stranger."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.dist = self.checkout / "dist"
        self.dist.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        self.wheel = self.dist / "g4f_core-0.1.0-py3-none-any.whl"
        self.wheel.write_bytes(b"a wheel")
        self.sums = self.dist / "SHA256SUMS"
        self.sums.write_text(f"{hashlib.sha256(b'a wheel').hexdigest()}  {self.wheel.name}\n")
        self.key, self.stranger = (self._make_key(folder / name) for name in ("signer", "stranger"))
        self.signers = folder / "signers"
        self.signers.write_text(f'g4f namespaces="g4f-release" {self.key.with_suffix(".pub").read_text()}')

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Run the script; return its exit code and what it printed."""
        command = (self.checkout / "scripts" / "release", *arguments)
        done = subprocess.run(command, cwd=self.key.parent, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def _make_key(self, path: Path) -> Path:
        subprocess.run((KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", path), check=True)
        return path


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A release that was built and not signed yet."""
    return Release(tmp_path)


def test_what_was_signed_is_known_again(release: Release) -> None:
    """Also when it is signed a second time; keys are named from where one is."""
    for _ in range(2):
        assert release.run("sign", release.key.name) == (0, "")
    assert release.run("verify", "signers") == (0, "dist/ holds what was signed, and nothing else.\n")


def test_a_changed_file_is_found(release: Release) -> None:
    """By its sum."""
    release.run("sign", release.key)
    release.wheel.write_bytes(b"another wheel")
    code, said = release.run("verify", release.signers)
    assert (code, said.splitlines()[-1]) == (1, "These are not the files that were signed.")


def test_a_changed_sum_is_found(release: Release) -> None:
    """By the signature."""
    release.run("sign", release.key)
    release.wheel.write_bytes(b"another wheel")
    release.sums.write_text(f"{hashlib.sha256(b'another wheel').hexdigest()}  {release.wheel.name}\n")
    code, said = release.run("verify", release.signers)
    assert (code, said.splitlines()[-1]) == (1, "None of the signers signed SHA256SUMS as it is.")


def test_the_signature_of_a_stranger_counts_for_nothing(release: Release) -> None:
    """Who may sign stands in the file of signers alone."""
    release.run("sign", release.stranger)
    assert release.run("verify", release.signers)[0] == 1


def test_a_file_that_was_put_beside_them_is_found(release: Release) -> None:
    """`dist/*` would upload it."""
    release.run("sign", release.key)
    (release.dist / "g4f_core-0.1.0.tar.gz").touch()
    assert release.run("verify", release.signers) == (1, "dist/g4f_core-0.1.0.tar.gz was not signed: remove it.\n")


def test_nothing_is_signed_before_it_is_built(release: Release) -> None:
    """And a misspelled command builds nothing."""
    release.sums.unlink()
    assert release.run("sign", release.key) == (1, "There is nothing to sign: run scripts/release first.\n")
    assert release.run("sing", release.key)[0] == 2
