"""Code as a notebook shows it."""

import re

import pytest

from cloaca_nb.notebook.code import COLOURS, code_bundle

CODE = '@task(id="a")\ndef a(context):\n    return 1 < 2  # & why\n'


def test_nothing_of_the_code_is_lost_and_no_style_sheet_is_needed():
    bundle = code_bundle(CODE)
    assert bundle["text/plain"] == CODE.rstrip()
    assert "class=" not in bundle["text/html"]
    assert "&lt;" in bundle["text/html"]
    shown = re.sub(r"<[^>]+>", "", bundle["text/html"])
    assert shown.replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&") == CODE.rstrip()


def test_lines_and_their_indentation_are_kept_at_both_ends():
    assert code_bundle("\n  x = 1\n\n")["text/plain"] == "\n  x = 1"
    assert ">\n  " in code_bundle("\n  x = 1\n\n")["text/html"]


def luminance(colour):
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", sorted(set(COLOURS.values())))
def test_its_colours_can_be_read_on_light_and_dark(colour):
    assert min(1.05 / (luminance(colour) + 0.05), (luminance(colour) + 0.05) / (luminance("#111111") + 0.05)) >= 3
