"""What is asked about: ranges of commits, files, lines, the work tree; what has no answer is told in a sentence."""

import json
from pathlib import Path

import pytest

from strangler.cli import main
from tests.unit.strangler.analysis.reach.shops import REACHED, names, reach
from tests.unit.strangler.analysis.repositories import begin, commit, git

SELECTORS = "shop/reviews/selectors.py"
OWNED = {**REACHED, ".github/CODEOWNERS": "* @all\n/shop/reviews/ @reviews\n/tests/ @tests\n!x @no\n"}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = begin(tmp_path / "work", OWNED)
    monkeypatch.chdir(made)
    return made


def changed(shop, path, old, new):
    text = (shop / path).read_text()
    assert old in text
    (shop / path).write_text(text.replace(old, new))


def test_a_change_is_compared_by_what_it_defines_in_the_work_tree_and_in_commits(shop):
    changed(shop, SELECTORS, 'order_by("name")', 'order_by("-name")')
    now = reach(shop)
    assert [str(touched) for touched in now.blast.touched] == [
        f"{SELECTORS}:7: shop.reviews.selectors._sorted (changed)"
    ]
    assert names(now) == ["/ (home)", "test_selectors.py::TestBest::test_best", "test_pages.py::test_page"]
    commit(shop, {})
    assert names(reach(shop)) == []
    for about in ("HEAD~1..HEAD", "HEAD~1..", "main~1...main"):
        assert reach(shop, about).blast == now.blast


def test_comments_docstrings_and_lines_that_moved_reach_nothing(shop):
    changed(shop, SELECTORS, "def best():", '\n\n\ndef best():\n    """The best."""\n    # by name')
    assert reach(shop).blast.touched == ()


def test_an_import_that_names_something_else_reaches_whoever_says_that_name(shop):
    changed(shop, SELECTORS, "from shop.catalog.models import Product", "from shop.reviews.models import Product")
    assert {touched.node for touched in reach(shop).blast.touched} == {"shop.reviews.selectors.best"}


def test_what_is_gone_reaches_what_used_it_before(shop):
    commit(
        shop, {SELECTORS: "def best():\n    return []"}, "shop/reviews/templates/about.html", "shop/reviews/tasks.py"
    )
    answer = reach(shop, "HEAD~1..")
    found = names(answer, "route", "task")
    assert found == ["-reviews.import", "/ (home)", "/about/ (about)", "/products/<pk>/ (product)"]
    assert {touched.how for touched in answer.blast.touched} == {"changed", "removed"}


def test_a_file_that_is_renamed_reaches_whoever_has_to_follow(shop):
    (shop / SELECTORS).rename(shop / "shop/reviews/reads.py")
    (shop / "shop/reviews/templates/home.html").rename(shop / "shop/reviews/templates/front.html")
    commit(shop, {})
    answer = reach(shop, "HEAD~1..")
    assert {"/ (home)", "/products/<pk>/ (product)"} <= set(names(answer, "route"))
    assert {"shop/reviews/reads.py", "shop/reviews/templates/front.html"} == set(answer.files)


def test_routes_that_come_go_and_are_called_otherwise_are_reached_with_the_tests_that_call_them(shop):
    changed(shop, "shop/urls.py", 'path("api/"', 'path("rest/"')
    changed(shop, "shop/urls.py", '    path("", views.home, name="home"),\n', "")
    found = names(reach(shop), "route")
    assert {"-/ (home)", "-/api/rated/ (rated)", "/rest/rated/ (rated)"} == set(found)
    assert "test_pages.py::test_names" in names(reach(shop), "test")


def test_tests_that_are_gone_are_not_to_be_run(shop, capsys):
    commit(shop, {SELECTORS: "def best():\n    return []"}, "tests/test_selectors.py")
    assert main(["blast", "HEAD~1..", "--tests"]) == 0
    told = capsys.readouterr()
    assert told.out.split() == ["tests/test_pages.py::test_page", "tests/test_pages.py::test_product"]
    assert 'CODEOWNERS:4: "!x" is a negation' in told.err


def test_tests_are_called_as_pytest_finds_them_from_where_it_is_started(shop, capsys, monkeypatch):
    monkeypatch.chdir(shop.parent)
    assert main(["blast", f"{SELECTORS}:7", "--project", "work", "--tests"]) == 0
    assert capsys.readouterr().out.split() == [
        "work/tests/test_selectors.py::TestBest::test_best",
        "work/tests/test_pages.py::test_page",
    ]


def test_files_and_their_lines_are_asked_about_without_any_history(shop, tmp_path):
    plain = tmp_path / "plain"
    (shop / ".git").rename(tmp_path / "hidden")
    shop.rename(plain)
    answer = reach(plain, f"{SELECTORS}:10-11")
    assert names(answer) == ["/products/<pk>/ (product)", "test_pages.py::test_product"]
    assert "is no git repository" in answer.companions.sentences[0]
    both = reach(plain, SELECTORS, "shop/reviews/templates/about.html")
    assert len(both.blast.touched) == 4
    assert names(reach(plain, "shop/urls.py:8"), "route") == ["/about/ (about)"]


def test_what_was_not_there_before_reaches_what_uses_it_and_nobody_is_told(shop):
    (shop / "shop/reviews/alone.py").write_text("def alone():\n    pass\n")
    changed(
        shop, "shop/reviews/tasks.py", "write(1, 5)", "write(1, 5)\n    from shop.reviews.new import new\n    new()"
    )
    (shop / "shop/reviews/new.py").write_text("def new():\n    pass\n")
    answer = reach(shop)
    assert answer.blast.unused == ("shop.reviews.alone.alone",)
    assert names(answer, "task") == ["reviews.import"]


def test_a_migration_reaches_the_tables_that_it_names(shop):
    text = "operations = [migrations.AddField(model_name='review', name='x'), migrations.CreateModel(name='Product')]"
    commit(shop, {"shop/reviews/migrations/0002_x.py": text})
    answer = reach(shop, "HEAD~1..")
    tables = [f"{table.touch.does} {table.touch.table}" for table in answer.blast.tables]
    assert tables == ["migrates reviews_review"]
    assert answer.blast.entries == ()


def test_what_is_not_followed_is_told(shop, tmp_path):
    inner = begin(tmp_path / "inner", {"a.py": ""})
    git(shop, "submodule", "--quiet", "add", str(inner), "inner")
    (shop / "link.py").symlink_to(SELECTORS)
    (shop / "picture.png").write_bytes(bytes(range(256)))
    commit(shop, {"shop/old.py": "print 'two'", "shop/huge.py": "x = 1\n" * 800_000})
    (shop / "shop/huge.py").unlink()
    sentences = "\n".join(reach(shop, "HEAD~1..").blast.sentences)
    for told in (
        "inner (added) is a submodule: ask there",
        "link.py (added) is a symbolic link, which is not followed",
        "picture.png (added) is no Python and no template of the project",
        "shop/old.py cannot be read (Missing parentheses",
        "shop/huge.py has 4 MB and was left out as generated",
    ):
        assert told in sentences


def test_a_bare_repository_is_asked_about_ranges(shop, tmp_path, capsys):
    changed(shop, SELECTORS, 'order_by("name")', 'order_by("-name")')
    commit(shop, {})
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    assert names(reach(tmp_path / "bare.git", "HEAD~1..HEAD"), "route") == ["/ (home)"]
    assert main(["blast", "--project", str(tmp_path / "bare.git")]) == 1
    assert "name a range: REF..REF" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (["nowhere..HEAD"], '"nowhere" is no commit of'),
        (["HEAD..nowhere"], '"nowhere" is no commit of'),
        (["main"], '"main" is no file below'),
        (["shop/nowhere.py"], 'is no file below'),
        (["shop"], '"shop" is no file below'),
        (["shop/urls.py", "HEAD~1..HEAD"], "name one range of commits, or files; not both"),
        (["../cache"], "is no file below"),
        (["shop/urls.py:1-99999999"], "names more lines than a file has"),
        ([""], 'is no file below'),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_about_is_told_in_one_sentence(shop, capsys, about, told):
    Path(shop.parent, "cache").mkdir(exist_ok=True)
    assert main(["blast", *about]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_what_is_changed_together_across_apps_and_owners_is_told(shop, capsys):
    for number in range(8):
        commit(shop, {SELECTORS: f"x = {number}", "shop/catalog/prices.py": f"x = {number}"})
        commit(shop, {"shop/people/b.py": f"x = {number}"})
        commit(shop, {"shop/people/c.py": f"x = {number}"})
    (shop / SELECTORS).write_text("x = 9")
    assert main(["blast"]) == 0
    text = capsys.readouterr().out
    assert "apps that are changed together, more than by chance, in 25 commits" in text
    assert "  catalog with reviews: 9 of its 9 commits (100%)" in text
    assert "  @all with @reviews: " not in text  # the other owner's commits are mostly of other files
    assert "files that are changed together, and are not in this change" in text
    assert f"  shop/catalog/prices.py with {SELECTORS}: 8 of its 8 commits (100%)" in text
    assert main(["blast", "--json"]) == 0
    given = json.loads(capsys.readouterr().out)
    assert given["together"]["apps"][0]["both"] == 9
    assert given["owners"] == ["@reviews"]


def test_the_text_has_what_people_ask_first(shop, capsys):
    assert main(["blast", f"{SELECTORS}:7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{SELECTORS}:7: 1 definitions in 1 files of @reviews"
    assert lines[2] == "reach 1 routes, 0 tasks, 0 commands, 0 receivers, 0 admin pages, 2 tests"
    assert (
        "  2  / (home)  [@reviews]  shop.reviews.views.home <- shop.reviews.selectors.best "
        "<- shop.reviews.selectors._sorted" in lines
    )
    assert "owners of what is reached: @reviews 1" in lines
