"""Real projects map as the tree says, and the checks would notice."""

import zipfile
from dataclasses import replace

import pytest

from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from tests.third_party import figures, projects, report, samples
from tests.third_party.measuring import measured
from tests.third_party.projects import Unreachable, pins, unpack, unpacked

SHOP = {
    "shop/__init__.py": "",
    "shop/catalog/__init__.py": "",
    "shop/catalog/models.py": "from django.db import models\n\nclass Product(models.Model):\n    pass\n",
    "shop/reviews/__init__.py": "",
    "shop/reviews/models.py": (
        "from django.db import models\n\nclass Review(models.Model):\n"
        "    product = models.ForeignKey('catalog.Product', models.CASCADE)\n"
    ),
}
KEY = "foreign key | shop/reviews/models.py:4 | catalog.Product | a key is declared there"


@pytest.fixture
def shop(tmp_path):
    for path, text in SHOP.items():
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / path).write_text(text)
    return tmp_path / "project"


def judged(folder, text, sort=samples.DRAWN):
    (folder / f"shop.{sort}.txt").write_text(f"# round 1, seed 1\n{text}\n")
    return samples.judged("shop", sort, folder)


@pytest.mark.parametrize("name", pins())
def test_a_real_project_maps_as_the_tree_says(name):
    try:
        folder = unpacked(name)
    except Unreachable as error:
        pytest.skip(str(error))
    found, now = measured(folder)
    kept = figures.kept(name)
    assert not now.unread
    assert [*figures.differences(kept, now)] == []
    judgements = [one for sort in (samples.DRAWN, samples.READ) for one in samples.judged(name, sort)]
    assert [*samples.contradictions(found, judgements)] == []
    assert now.megabytes < 2 * kept.megabytes


def test_the_document_shows_the_figures_that_are_kept():
    text = report.DOCS.read_text()
    assert report.replaced(text, report.rendered({name: figures.kept(name) for name in pins()})) == text


def test_a_coupling_that_is_gone_or_come_back_is_noticed(shop, tmp_path):
    found = make_map(shop, Kept(None))
    for verdict, sort, good in (
        ("right", samples.DRAWN, True),
        ("wrong", samples.DRAWN, False),
        ("open", samples.DRAWN, True),
    ):
        assert (not [*samples.contradictions(found, judged(tmp_path, f"{verdict} | {KEY}", sort))]) is good
    for verdict, good in (("found", True), ("missed", False)):
        by_app = KEY.replace("catalog.Product", "catalog")
        assert (not [*samples.contradictions(found, judged(tmp_path, f"{verdict} | {by_app}", samples.READ))]) is good
    moved = KEY.replace(":4", ":5")
    assert [*samples.contradictions(found, judged(tmp_path, f"right | {moved}"))]


def test_a_figure_that_differs_is_told_unless_it_is_a_measured_one(shop):
    now = figures.figures(make_map(shop, Kept(None)), 1.0, 100)
    assert now.couplings == {"foreign key": 1}
    assert not [*figures.differences(replace(now, seconds=9.0, megabytes=9), now)]
    assert [*figures.differences(replace(now, couplings={"sql": 2}), now)] == [
        "foreign key: 1, and 0 are kept",
        "sql: 0, and 2 are kept",
    ]
    assert [*figures.differences(replace(now, models=3), now)] == ["models: 2, and 3 is kept"]


def test_a_judgement_without_its_reason_is_refused(tmp_path):
    for text in (
        "right | foreign key | a.py:1 | b |",
        "perhaps | url | a.py:1 | b | why",
        "right | url | a.py | b | c",
    ):
        with pytest.raises(ValueError, match="is no judgement"):
            judged(tmp_path, text)


def test_the_last_round_counts(tmp_path):
    text = f"wrong | {KEY}\n# round 2, seed 5\nright | {KEY}\nwrong | {KEY}\nopen | {KEY}"
    assert samples.share(judged(tmp_path, text)) == (1, 3)


def test_a_seed_draws_the_same_couplings_again(shop):
    found = make_map(shop, Kept(None))
    lines = [*samples.drawn(found, 3)]
    assert lines == [*samples.drawn(found, 3)]
    assert lines[0].startswith("? | foreign key | shop/reviews/models.py:4 | catalog.Product |")


def test_a_wheel_that_leads_out_of_its_folder_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.whl", "w") as archive:
        archive.writestr("good.py", "")
        archive.writestr("../bad.py", "")
    with pytest.raises(ValueError, match="leads out of its folder"):
        unpack(tmp_path / "bad.whl", tmp_path / "code")
    assert not (tmp_path / "code").exists()


def test_a_wheel_that_is_not_there_is_unreachable(monkeypatch, tmp_path):
    monkeypatch.setattr(projects, "pins", lambda: {"nobody": "nobody-has-such==1.0 --hash=sha256:" + "0" * 64})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Unreachable, match="cannot be fetched"):
        unpacked("nobody", tmp_path)


def test_another_wheel_than_the_pinned_one_is_an_error(monkeypatch, tmp_path):
    wheel = tmp_path / "shop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("shop/models.py", "")
        archive.writestr("shop-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
        archive.writestr("shop-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    monkeypatch.setattr(projects, "pins", lambda: {"shop": "shop==1.0 --hash=sha256:" + "0" * 64})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ValueError, match="is not the wheel"):
        unpacked("shop", tmp_path / "place")
    assert not (tmp_path / "place" / "shop-1.0").exists()
