from __future__ import annotations

import base64
import os
import stat
import sys
from pathlib import Path

import pytest

from loopback import Loopback, Reply, reply_json
from plugins.cli.program import PIXEL, Program

JPEG = b"\xff\xd8\xff\xe0 the rest"


def draw(*pictures: bytes) -> Reply:
    """What a service answers when it has drawn these."""
    return reply_json({"data": [{"b64_json": base64.b64encode(picture).decode()} for picture in pictures]})


def read_request(service: Loopback) -> dict[str, object]:
    """What the service was asked."""
    body: dict[str, object] = service.requests[0].json
    return body


def list_files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_picture_is_saved_under_the_given_name_and_its_path_printed(program: Program) -> None:
    """The path alone stands on standard output, and no other file is left."""
    program.serve(draw(PIXEL))
    done = program.run("image", "a", "cat", "-p", "Service", "-o", "cat.png")
    assert (done.code, done.out, done.err) == (0, "cat.png\n", "")
    assert (program.folder / "cat.png").read_bytes() == PIXEL
    assert list_files(program.folder) == ["cat.png"]


def test_the_options_reach_the_service(program: Program) -> None:
    """Under OpenAI's names; what was not given is not sent."""
    service = program.serve(draw(PIXEL, PIXEL))
    options = ("-m", "m-1", "-n", "2", "--size", "512x512", "--quality", "low")
    assert program.run("image", "a cat", "-p", "Service", *options).code == 0
    asked = read_request(service)
    expected = {"prompt": "a cat", "model": "m-1", "n": 2, "size": "512x512", "quality": "low"}
    assert {name: asked[name] for name in expected} == expected
    assert "style" not in asked


def test_several_pictures_are_numbered(program: Program) -> None:
    """In the order in which they came."""
    program.serve(draw(PIXEL, PIXEL, PIXEL))
    done = program.run("image", "cats", "-p", "Service", "-n", "3", "-o", "cat.png")
    assert done.out == "cat-1.png\ncat-2.png\ncat-3.png\n"
    assert list_files(program.folder) == ["cat-1.png", "cat-2.png", "cat-3.png"]


def test_without_a_name_pictures_go_to_the_media_folder(program: Program) -> None:
    """The core names them; the whole path is printed."""
    program.serve(draw(PIXEL))
    done = program.run("image", "a cat", "-p", "Service", G4F_MEDIA_DIR="pictures")
    path = Path(done.out.strip())
    assert path.parent == program.folder / "pictures"
    assert path.read_bytes() == PIXEL


def test_a_folder_is_where_pictures_go(program: Program) -> None:
    """`-o` may name one that exists."""
    program.serve(draw(PIXEL))
    (program.folder / "pictures").mkdir()
    done = program.run("image", "a cat", "-p", "Service", "-o", "pictures")
    assert Path(done.out.strip()).parent == program.folder / "pictures"


def test_a_wrong_extension_is_corrected(program: Program) -> None:
    """The note says so; the printed path is the real one."""
    program.serve(draw(JPEG))
    done = program.run("image", "a cat", "-p", "Service", "-o", "cat.png")
    assert (done.code, done.out) == (0, "cat.jpg\n")
    assert done.err == "Note: The picture is a jpg, so it is saved as cat.jpg.\n"
    assert list_files(program.folder) == ["cat.jpg"]


@pytest.mark.parametrize(
    ("given", "saved"), [("cat.jpeg", "cat.jpeg"), ("cat.JPG", "cat.JPG"), ("cat", "cat.jpg"), ("v1.2", "v1.2.jpg")]
)
def test_an_extension_is_kept_or_added_silently(program: Program, given: str, saved: str) -> None:
    """Another spelling is right, and a name without an extension gets one."""
    program.serve(draw(JPEG))
    done = program.run("image", "a cat", "-p", "Service", "-o", given)
    assert (done.out, done.err) == (f"{saved}\n", "")


@pytest.mark.parametrize("options", [["-o", "cat.png"], ["-o", "cat.png", "-n", "2"]])
def test_nothing_is_overwritten_unasked(program: Program, options: list[str]) -> None:
    """The error comes before the picture is paid for."""
    service = program.serve(draw(PIXEL))
    for name in ("cat.png", "cat-2.png"):
        (program.folder / name).write_text("mine")
    done = program.run("image", "a cat", "-p", "Service", *options)
    assert (done.code, done.out, service.requests) == (2, "", [])
    assert "exists: choose another name, or overwrite it with -f." in done.err
    assert (program.folder / "cat.png").read_text() == "mine"


def test_force_overwrites(program: Program) -> None:
    """As a whole, at once."""
    program.serve(draw(PIXEL))
    (program.folder / "cat.png").write_text("mine")
    assert program.run("image", "a cat", "-p", "Service", "-o", "cat.png", "-f").out == "cat.png\n"
    assert (program.folder / "cat.png").read_bytes() == PIXEL


@pytest.mark.parametrize("options", [[], ["-f"]])
def test_a_corrected_name_overwrites_nothing(program: Program, options: list[str]) -> None:
    """As under the name that was given; not even with -f, which was said of another file. The picture is not lost."""
    program.serve(draw(JPEG))
    (program.folder / "cat.jpg").write_text("mine")
    done = program.run("image", "a cat", "-p", "Service", "-o", "cat.png", *options)
    kept = done.out.strip()
    assert done.code == 2
    assert done.err == f"Error: cat.jpg exists: the picture is a jpg and was left in {kept}.\n"
    assert (program.folder / kept).read_bytes() == JPEG
    assert (program.folder / "cat.jpg").read_text() == "mine"


def test_fewer_pictures_than_were_asked_for_are_told(program: Program) -> None:
    """They are numbered all the same."""
    program.serve(draw(PIXEL))
    done = program.run("image", "cats", "-p", "Service", "-n", "2", "-o", "cat.png")
    assert (done.code, done.out, done.err) == (0, "cat-1.png\n", "Note: 1 of 2 pictures came.\n")


def test_without_a_prompt_an_example_is_shown(program: Program) -> None:
    """One of this command."""
    done = program.run("image")
    assert (done.code, done.out) == (2, "")
    assert done.err == 'Error: There is no prompt: write one, as g4f image "a white siamese cat".\n'


@pytest.mark.parametrize("count", ["0", "abc", "1.5"])
def test_a_count_that_is_none_says_what_is_allowed(program: Program, count: str) -> None:
    """With an example."""
    done = program.run("image", "a cat", "-n", count)
    assert (done.code, done.out) == (2, "")
    assert f"'{count}' is no whole number above 0, as 2." in done.err


def test_a_slash_says_that_a_folder_is_meant(program: Program) -> None:
    """One that is not there is no name of a file."""
    service = program.serve(draw(PIXEL))
    done = program.run("image", "a cat", "-p", "Service", "-o", "new/")
    assert (done.code, service.requests) == (2, [])
    assert done.err == "Error: There is no folder new/: make it first, or write a file's name.\n"
    (program.folder / "new").mkdir()
    done = program.run("image", "a cat", "-p", "Service", "-o", "new/")
    assert Path(done.out.strip()).parent == program.folder / "new"


def test_a_folder_that_is_not_there_is_told_before_the_picture_is_paid_for(program: Program) -> None:
    """Bad input has exit code 2."""
    service = program.serve(draw(PIXEL))
    done = program.run("image", "a cat", "-p", "Service", "-o", "nowhere/cat.png")
    assert (done.code, done.err, service.requests) == (2, "Error: The folder nowhere does not exist.\n", [])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_a_named_picture_has_the_permissions_of_any_file(program: Program) -> None:
    """The core's own are private."""
    program.serve(draw(PIXEL))
    umask = os.umask(0o022)
    try:
        program.run("image", "a cat", "-p", "Service", "-o", "cat.png")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((program.folder / "cat.png").stat().st_mode) == 0o644


def test_an_answer_that_is_no_picture_leaves_no_file(program: Program) -> None:
    """Nothing half-written is found later."""
    program.serve(draw(b"<html>Sorry</html>"))
    done = program.run("image", "a cat", "-p", "Service", "-o", "cat.png")
    assert done.code != 0
    assert "no png, jpeg, gif or webp picture" in done.err
    assert list_files(program.folder) == []


def test_a_provider_that_cannot_draw_is_told(program: Program) -> None:
    """Before anything is sent."""
    program.install("Echo")
    done = program.run("image", "a cat", "-p", "Echo")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: Echo cannot make images.")


def test_the_picture_of_another_provider_is_told(program: Program) -> None:
    """The one that was named failed."""
    program.serve(reply_json({"error": {"message": "No."}}, 400), provider="First")
    program.serve(draw(PIXEL), provider="Second")
    done = program.run("image", "a cat", "-p", "First", "-p", "Second", "-o", "cat.png")
    assert (done.code, done.out) == (0, "cat.png\n")
    assert done.err == "Note: First failed (answered 400: No); Second answered.\n"


def test_the_prompt_may_come_by_standard_input(program: Program) -> None:
    """Where it is asked for; otherwise standard input is left alone."""
    service = program.serve(draw(PIXEL))
    assert program.run("image", "-", "-p", "Service", "-o", "cat.png", piped=b"a cat").code == 0
    assert read_request(service)["prompt"] == "a cat"
    assert program.run("image", "-p", "Service", piped=b"a cat").code == 2


@pytest.mark.parametrize("place", ["-", os.devnull])
def test_only_a_file_can_be_named(program: Program, place: str) -> None:
    """Not even with -f is a device replaced by a picture."""
    service = program.serve(draw(PIXEL))
    done = program.run("image", "a cat", "-p", "Service", "-o", place, "-f")
    assert (done.code, done.out, service.requests) == (2, "", [])
    assert done.err.startswith("Error: ")


def test_parameters_reach_the_service(program: Program) -> None:
    """Those that have an option of their own, and all others."""
    service = program.serve(draw(PIXEL))
    options = ["--option", "background", "transparent", "--size", "64x64", "--option", "steps", "4"]
    assert program.run("image", "a cat", "-p", "Service", "-o", "cat.png", *options).code == 0
    sent = read_request(service)
    assert (sent["background"], sent["size"], sent["steps"]) == ("transparent", "64x64", 4)
