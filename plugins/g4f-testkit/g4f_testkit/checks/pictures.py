"""Pictures: drawn, changed, several at once."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from g4f import InvalidInputError, UnsupportedError
from g4f_testkit.claims import claim
from g4f_testkit.kit import PROMPT, Kit
from g4f_testkit.script import PICTURE, draw_picture

OPTIONS = {"quality": "high", "background": "opaque", "output_format": "jpeg", "user": "g4f-user"}


class PictureChecks:
    """The grade silver; bronze for a provider that does nothing else."""

    @claim("silver", "image", alone="bronze")
    async def test_a_picture_is_drawn(self, kit: Kit) -> None:
        """What the prompt says arrives, and the picture comes back byte by byte."""
        images = await kit.draw()
        assert [base64.b64decode(image.b64_json or "") for image in images.data] == [PICTURE]
        assert images.provider == kit.name
        assert (kit.asked[0].operation, kit.asked[0].texts) == ("image", (PROMPT,))
        assert kit.asked[0].model == kit.subject.choose_model("image")

    @claim("silver", "image", alone="bronze")
    async def test_a_picture_is_saved(self, kit: Kit) -> None:
        """Where nothing else was asked for."""
        images = await kit.draw(response_format=None)
        assert [Path(image.path or "").read_bytes() for image in images.data] == [PICTURE]

    @claim("silver", "image", alone="bronze")
    async def test_several_pictures_are_drawn(self, kit: Kit) -> None:
        """As many as were asked for, in one request or several; or a warning says that there are fewer."""
        images = await kit.draw(n=2)
        assert len(images.data) == 2 or any("n" in warning.split() for warning in images.warnings)

    @claim("silver", "image")
    async def test_the_size_arrives_or_is_told(self, kit: Kit) -> None:
        """In whatever words the service has."""
        await kit.draw()
        images = await kit.draw(size="1024x1536")
        plain, given = kit.server.requests[0], kit.server.requests[-1]
        assert (plain.body, plain.query) != (given.body, given.query) or any("size" in said for said in images.warnings)

    @claim("silver", "image")
    @pytest.mark.parametrize(("name", "value"), OPTIONS.items())
    async def test_an_option_arrives_or_is_told(self, kit: Kit, name: str, value: str) -> None:
        """In whatever words the service has."""
        await kit.draw()
        images = await kit.draw(**{name: value})
        plain, given = kit.server.requests[0], kit.server.requests[-1]
        told = any(name in said for said in images.warnings)
        assert told or (plain.body, plain.query) != (given.body, given.query), f"{name} neither arrived nor was told."

    @claim("silver", "image_edit")
    @pytest.mark.parametrize("more", ["mask", "second"])
    async def test_what_else_a_change_brings_arrives_or_is_told(self, kit: Kit, more: str) -> None:
        """A mask, or a second picture, which a service may refuse."""
        first, other = draw_picture(1, 2, 3), draw_picture(4, 5, 6)
        await kit.draw(image=first)
        before = len(kit.server.requests)
        options = {"image": [first, other]} if more == "second" else {"image": first, "mask": other}
        try:
            warnings = (await kit.draw(**options)).warnings
        except (UnsupportedError, InvalidInputError) as refused:
            warnings = [str(refused)]
        sizes = [len(request.body) for request in kit.server.requests]  # some only ask how a job goes on
        assert max(sizes[before:], default=0) > max(sizes[:before]) or warnings, f"The {more} was dropped in silence."

    @claim("silver", "image_edit")
    async def test_a_picture_is_changed(self, kit: Kit) -> None:
        """The picture arrives byte by byte, with what is to be done."""
        before = draw_picture(1, 2, 3)
        images = await kit.draw(image=before)
        assert [base64.b64decode(image.b64_json or "") for image in images.data] == [PICTURE]
        asked = kit.asked[0]
        assert (asked.operation, asked.texts, asked.pictures) == ("image_edit", (PROMPT,), (before,))
