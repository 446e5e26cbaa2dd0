"""The graph's pictures: every plan once, every need once, nothing on top of anything."""

import re
from itertools import combinations
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from strangler.plans import drawing
from strangler.plans.report import OperationReport, PlanReport

SVG = "{http://www.w3.org/2000/svg}"


def report(name, needed=(), states=("applied", "open"), problems=()):
    return PlanReport(
        plan=name,
        service="reviews",
        dependencies=tuple(needed),
        squash="",
        operations=tuple(
            OperationReport(number=number, operation='Move <"a">', state=state, final=False)
            for number, state in enumerate(states, start=1)
        ),
        problems=problems,
    )


@st.composite
def projects(draw):
    names = [f"{number:04}_{draw(st.text('abc', min_size=1, max_size=9))}" for number in range(draw(st.integers(0, 9)))]
    states = st.lists(st.sampled_from(["applied", "half done", "open"]), min_size=1, max_size=3)
    return [
        report(name, sorted(draw(st.sets(st.sampled_from(names[:index])))) if index else (), draw(states))
        for index, name in enumerate(names)
    ]


def boxes(root):
    """By plan: (left, top, right, bottom)."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        x, y, width, height = (float(group.find(f"{SVG}rect").get(name)) for name in ("x", "y", "width", "height"))
        found[group.find(f"{SVG}text").text] = (x, y, x + width, y + height)
    return found


def points(path):
    """The corners of a line's pieces, each with the piece's kind: a curve stays between its ends, and H is level."""
    x = y = 0.0
    for kind, text in re.findall(r"([MCH])([^MCH]*)", path):
        numbers = [float(number) for number in text.split()]
        to_x, to_y = (numbers[0], y) if kind == "H" else numbers[-2:]
        if kind != "M":
            yield (min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))
        x, y = to_x, to_y


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(projects())
def test_the_picture_shows_each_plan_and_each_need_and_nothing_overlaps(reports):
    root = ElementTree.fromstring(drawing.svg(reports))
    found = boxes(root)
    assert sorted(found) == sorted(one.plan for one in reports)
    assert not [pair for pair in combinations(found.values(), 2) if overlap(*pair)]
    width, height = (float(root.get(name)) for name in ("width", "height"))
    assert all(
        left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in found.values()
    )
    paths = [path.get("d") for path in root.iter(f"{SVG}path")]
    needs = [(needed, one.plan) for one in reports for needed in one.dependencies]
    assert len(paths) == len(needs)
    for path, (needed, plan) in zip(paths, needs, strict=True):
        pieces = list(points(path))
        assert not [piece for piece in pieces for box in found.values() if overlap(piece, box)], "a line crosses a box"
        assert pieces[0][0] == found[needed][2]
        assert pieces[-1][2] == found[plan][0]


@given(projects())
def test_two_lines_never_share_a_row_of_a_column(reports):
    root = ElementTree.fromstring(drawing.svg(reports))
    level = [
        (piece, number)
        for number, path in enumerate(root.iter(f"{SVG}path"))
        for piece in points(path.get("d"))
        if piece[1] == piece[3]
    ]
    columns = {box[0] for box in boxes(root).values()}
    passing = [piece for piece, _ in level if piece[0] in columns]
    assert len(set(passing)) == len(passing)


@given(projects())
def test_mermaid_gets_the_same_nodes_and_edges(reports):
    text = drawing.mermaid(reports)
    assert re.findall(r'^    p(\w+)\["', text, re.MULTILINE) == [one.plan for one in reports]
    edges = set(re.findall(r"^    p(\w+) --> p(\w+)$", text, re.MULTILINE))
    assert edges == {(needed, one.plan) for one in reports for needed in one.dependencies}
    used, defined = (set(re.findall(pattern, text)) for pattern in (r":::(\w+)", r"classDef (\w+)"))
    assert used == defined


def test_a_plan_says_how_far_it_is_and_whether_something_is_wrong():
    assert "reviews, 1 of 2: begun" in drawing.svg([report("0001_a")])
    assert "reviews, 1 of 2: damaged" in drawing.svg([report("0001_a", problems=["the record was <changed>"])])
    assert 'class="plan damaged"' in drawing.svg([report("0001_a", problems=["bad"])])


def test_the_picture_stands_alone_in_light_and_dark():
    text = drawing.svg([report("0001_a")])
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
