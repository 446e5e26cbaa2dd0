"""What a person is told of an event: a template for each type (`mails/`), its first line the subject."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.template import Context, Engine

FOLDER = Path(__file__).parent / "mails"
_LONGEST_SUBJECT = 200
# Plain text: nothing is to be escaped.
_engine = Engine(autoescape=False)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A subject of one line, and a body."""

    subject: str
    body: str


def render(event, *, name):
    """The text of an event for the person of that name."""
    values = Context({**event.data, "name": name}, autoescape=False)
    subject, body = (part.render(values) for part in _templates(event.type))
    return Text(subject=" ".join(subject.split())[:_LONGEST_SUBJECT], body=body.strip())


@cache
def _templates(kind):
    # Apart, so that no value can bring lines of its own from the one into the other.
    subject, _, body = (FOLDER / f"{kind}.txt").read_text(encoding="utf-8").partition("\n\n")
    return _engine.from_string(subject), _engine.from_string(body)
