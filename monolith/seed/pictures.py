"""Small pictures of the goods, drawn rather than photographed: one drawing a category, in three tints."""

from io import BytesIO

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 480
_SCALE = 2
TINTS = [("#e8efe2", "#3f6b3a", "#9dbf7e"), ("#f5eadf", "#8a4b2a", "#d69a66"), ("#e3ebf2", "#2f5573", "#86aecb")]

# Drawings in hundredths of the picture's height, from its centre: (kind, box or points, ink or shade).
_DRAWINGS = {
    "Kitchen": [
        ("pie", (-32, -32, 32, 32), "ink"),
        ("box", (-14, 30, 14, 35), "shade"),
        ("line", (-36, 0, 36, 0), "shade"),
    ],
    "Garden": [
        ("poly", (-20, 0, 20, 0, 14, 32, -14, 32), "ink"),
        ("oval", (-16, -34, 0, -2), "shade"),
        ("oval", (0, -28, 16, -2), "shade"),
    ],
    "Lighting": [
        ("poly", (-12, -32, 12, -32, 26, 0, -26, 0), "ink"),
        ("line", (0, 0, 0, 32), "shade"),
        ("box", (-16, 30, 16, 35), "ink"),
    ],
    "Textiles": [
        ("box", (-32, -24, 32, 24), "ink"),
        ("line", (-32, -8, 32, -8), "shade"),
        ("line", (-32, 8, 32, 8), "shade"),
    ],
    "Furniture": [
        ("box", (-32, -10, 32, -2), "ink"),
        ("line", (-25, -2, -25, 34), "shade"),
        ("line", (25, -2, 25, 34), "shade"),
    ],
    "Stationery": [
        ("box", (-22, -30, 22, 30), "ink"),
        ("box", (-22, -30, -15, 30), "shade"),
        ("line", (-6, -14, 14, -14), "shade"),
    ],
    "Storage": [
        ("box", (-30, -14, 30, 28), "ink"),
        ("line", (-30, 0, 30, 0), "shade"),
        ("line", (-30, 14, 30, 14), "shade"),
        ("oval", (-8, -24, 8, -10), "shade"),
    ],
    "Bath": [
        ("pie", (-36, -30, 36, 34), "ink"),
        ("oval", (8, -26, 20, -14), "shade"),
        ("oval", (-6, -34, 4, -24), "shade"),
    ],
}


def picture(category, tint):
    """The PNG of one category in one of the `TINTS`."""
    paper, ink, shade = TINTS[tint]
    colours = {"ink": ink, "shade": shade}
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), paper)
    draw = ImageDraw.Draw(image)
    draw.ellipse(_placed((-46, -46, 46, 46)), fill=_mixed(paper))
    for kind, points, colour in _DRAWINGS[category]:
        _draw(draw, kind, _placed(points), colours[colour])
    out = BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw(draw, kind, points, colour):
    match kind:
        case "pie":
            draw.pieslice(points, 0, 180, fill=colour)
        case "oval":
            draw.ellipse(points, fill=colour)
        case "box":
            draw.rounded_rectangle(points, radius=14, fill=colour)
        case "poly":
            draw.polygon(points, fill=colour)
        case "line":
            draw.line(points, fill=colour, width=24)


def _placed(points):
    unit = HEIGHT * _SCALE / 100
    middle = (WIDTH * _SCALE / 2, HEIGHT * _SCALE / 2)
    return [middle[index % 2] + value * unit for index, value in enumerate(points)]


def _mixed(paper):
    red, green, blue = (int(paper[i : i + 2], 16) for i in (1, 3, 5))
    return tuple((channel + 255) // 2 for channel in (red, green, blue))
