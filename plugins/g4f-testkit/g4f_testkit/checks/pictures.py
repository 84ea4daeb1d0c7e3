"""Pictures: drawn, changed, several at once."""

from __future__ import annotations

import base64
from pathlib import Path

from g4f_testkit.claims import claim
from g4f_testkit.kit import PROMPT, Kit
from g4f_testkit.script import PICTURE, draw_picture


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

    @claim("silver", "image_edit")
    async def test_a_picture_is_changed(self, kit: Kit) -> None:
        """The picture arrives byte by byte, with what is to be done."""
        before = draw_picture(1, 2, 3)
        images = await kit.draw(image=before)
        assert [base64.b64decode(image.b64_json or "") for image in images.data] == [PICTURE]
        asked = kit.asked[0]
        assert (asked.operation, asked.texts, asked.pictures) == ("image_edit", (PROMPT,), (before,))
