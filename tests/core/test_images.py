from g4f.images import Image, ImageRequest, Images


def test_a_request_draws_unless_it_says_edit() -> None:
    """The rest is as empty as it can be."""
    request = ImageRequest("A cat")

    assert (request.operation, request.hook, request.images, request.mask) == ("generate", "image", (), None)


def test_images_hold_what_the_service_sent_and_a_record() -> None:
    """URL or base64, the prompt as it was revised, and who answered."""
    images = Images.from_dict(
        {
            "created": 1,
            "data": [{"url": "u", "revised_prompt": "p"}, {"b64_json": "AA=="}],
            "usage": {"total_tokens": 5},
        }
    )

    assert [(image.url, image.b64_json, image.revised_prompt) for image in images.data] == [
        ("u", None, "p"),
        (None, "AA==", None),
    ]
    assert images.usage is not None
    assert images.usage.total_tokens == 5
    assert (images.provider, images.warnings, images.attempts) == (None, [], ())


def test_an_image_can_be_made_by_a_provider() -> None:
    """From keywords, as every value."""
    assert Images(data=[Image(url="u")]).to_dict() == {"data": [{"url": "u"}]}


def test_what_is_shown_of_a_picture_is_short() -> None:
    """A screen is not filled with base64; the picture itself is whole."""
    images = Images.from_dict({"data": [{"b64_json": "A" * 10**6}, {"url": "data:image/png;base64," + "B" * 10**6}]})
    assert len(repr(images)) < 1000
    assert "AAA…" in repr(images)
    assert len(images.data[0].b64_json or "") == 10**6
