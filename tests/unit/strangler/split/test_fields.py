import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.split import fields
from strangler.split.fields import Field

VALUES = st.one_of(
    st.text(st.characters(codec="utf-8")).map(lambda text: Field(text, True)),
    st.sampled_from(["NULL", "-1", "0.5", "1e+300", "x'00ff'"]).map(lambda plain: Field(plain, False)),
)
LINES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width)))


def written(lines):
    head = fields.header(f"column {number}" for number in range(len(lines[0]) if lines else 1))
    text = "".join(
        ",".join(fields.quoted(field.written) if field.quoted else field.written for field in line) + "\n"
        for line in lines
    )
    return head + text.encode()


@given(LINES, st.integers(1, 9))
def test_lines_are_read_as_they_were_written_wherever_the_file_is_cut_into_pieces(lines, size):
    data = written(lines)
    pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
    assert list(fields.read(pieces)) == lines


@given(LINES)
def test_whoever_reads_csv_reads_it(lines):
    read = list(csv.reader(io.StringIO(written(lines).decode(), newline="")))
    assert read[1:] == [[field.written for field in line] for line in lines]


def test_a_missing_value_is_told_from_the_text_that_is_called_so():
    ((missing, text),) = fields.read([b'"a","b"\nNULL,"NULL"\n'])
    assert (missing.missing, text.missing) == (True, False)


@pytest.mark.parametrize(
    ("torn", "says"),
    [
        (b'"a"\n"half', "the last line of an archive is torn"),
        (b'"a"\n"x"y\n', "no line of an archive: "),
        (b'"a"\n1,2', "the last line of an archive is torn"),
    ],
)
def test_a_torn_line_is_no_line(torn, says):
    with pytest.raises(ValueError, match=says):
        list(fields.read([torn]))
