"""Pictures for the songs of the local internet."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw


def jpeg(size: tuple[int, int], colour: str, text: str) -> bytes:
    """A ground of this colour (``#rrggbb``) with a disc and the text on it; ``size`` in pixels."""
    width, height = size
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.6, height * 0.1, width * 0.9, height * 0.1 + width * 0.3), fill="#f4f1de")
    draw.text((width * 0.05, height * 0.8), text, fill="#f4f1de", font_size=max(10, height // 12))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return data.getvalue()
