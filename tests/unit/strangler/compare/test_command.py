import json

import pytest

from strangler.cli import main


def test_a_report_is_made_again_from_what_was_found(made, tmp_path, capsys):
    raw, report = tmp_path / "raw.json", tmp_path / "new" / "report.html"
    raw.write_text(json.dumps(made().as_json()))
    assert main(["compare", "--again", str(raw), "--report", str(report)]) == 0
    assert "what services is" in capsys.readouterr().out
    assert report.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        (
            "monolith,microlith",
            'there is no arm "microlith"; there are monolith, modular, before, services, all, and the system',
        ),
        ("monolith", '"monolith" does not name two or more different arms'),
        ("monolith,monolith", '"monolith,monolith" does not name two or more different arms'),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_started(arms, told, tmp_path, capsys):
    assert main(["compare", "--arms", arms, "--report", str(tmp_path / "report.html")]) == 1
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"about": 1}'])
def test_a_file_without_results_is_said_to_be_one(content, tmp_path, capsys):
    raw = tmp_path / "raw.json"
    raw.write_text(content)
    assert main(["compare", "--again", str(raw), "--report", str(tmp_path / "report.html")]) == 1
    assert "has no results of a comparison" in capsys.readouterr().err
