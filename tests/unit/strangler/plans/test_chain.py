"""Whatever is done to a chain of lines but appending and merging is found, with its line."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strangler.plans.chain import read_chain, seal


@st.composite
def chains(draw, least=1):
    """Lines as one writer, or several whose branches were merged, may have left them."""
    lines, hashes, heads = [], [], []
    for number in range(draw(st.integers(least, 8))):
        branch = hashes and draw(st.booleans())
        after = [draw(st.sampled_from(hashes))] if branch else list(heads)
        line, hash_ = seal({"n": number, "text": draw(st.text(max_size=5))}, after)
        lines.append(line)
        hashes.append(hash_)
        heads = [one for one in heads if one not in after] + [hash_]
    return lines


def faults(lines):
    return [fault.line for fault in read_chain(b"".join(lines)).faults]


def followed(lines):
    return {hash_ for line in lines for hash_ in json.loads(line)["after"]}


def hash_of(line):
    return json.loads(line)["hash"]


@given(chains())
def test_what_was_sealed_is_sound_and_its_ends_are_those_that_nothing_follows(lines):
    chain = read_chain(b"".join(lines))
    assert not chain.faults
    assert [link.fields["n"] for link in chain.links] == list(range(len(lines)))
    assert set(chain.heads) == {hash_of(line) for line in lines} - followed(lines)


@given(chains(), st.data())
def test_a_changed_byte_is_found_in_its_line(lines, data):
    number = data.draw(st.integers(0, len(lines) - 1))
    line = bytearray(lines[number])
    place = data.draw(st.integers(0, len(line) - 2))
    line[place] ^= data.draw(st.integers(1, 255))
    assume(line[place] != ord("\n"))
    assert number + 1 in faults([*lines[:number], bytes(line), *lines[number + 1 :]])


@given(chains(), st.data())
def test_a_line_that_was_changed_and_sealed_anew_is_missed_by_those_that_follow_it(lines, data):
    number = data.draw(st.integers(0, len(lines) - 1))
    old = json.loads(lines[number])
    after, hash_ = old.pop("after"), old.pop("hash")
    assume(hash_ in followed(lines))
    new, _ = seal({**old, "n": "forged"}, after)
    changed = [*lines[:number], new, *lines[number + 1 :]]
    assert faults(changed) == [place for place, line in enumerate(lines, start=1) if hash_ in json.loads(line)["after"]]


@given(chains(least=2), st.data())
def test_a_line_taken_out_is_missed_by_those_that_follow_it(lines, data):
    gone = data.draw(st.sampled_from([line for line in lines if hash_of(line) in followed(lines)]))
    left = [line for line in lines if line != gone]
    expected = [place for place, line in enumerate(left, start=1) if hash_of(gone) in json.loads(line)["after"]]
    assert expected
    assert faults(left) == expected


@given(chains(least=2), st.randoms(use_true_random=False))
def test_a_line_before_one_that_it_follows_is_found_and_other_orders_are_as_good(lines, random):
    moved = random.sample(lines, len(lines))
    place = {hash_of(line): number for number, line in enumerate(moved, start=1)}
    early = [
        number
        for number, line in enumerate(moved, start=1)
        if any(place[hash_] > number for hash_ in json.loads(line)["after"])
    ]
    assert sorted(set(faults(moved))) == early


@given(chains(), st.data())
def test_a_line_that_stands_there_twice_says_nothing_new(lines, data):
    again = data.draw(st.sampled_from(lines))
    chain = read_chain(b"".join([*lines, again]))
    assert not chain.faults
    assert len(chain.links) == len(lines)


@given(chains(), st.data())
def test_a_torn_end_is_no_line(lines, data):
    *whole, last = lines
    torn = last[: data.draw(st.integers(0, len(last) - 1))]
    chain = read_chain(b"".join(whole) + torn)
    assert not chain.faults
    assert len(chain.links) == len(whole)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"<<<<<<< HEAD\n", "is a mark of a merge that was not finished; keep the lines of both sides"),
        (b"nonsense\n", "cannot be read: Expecting value"),
        (b"[1]\n", "cannot be read: it does not say which lines it follows"),
        (b'{"event": "done"}\n', "cannot be read: it does not say which lines it follows"),
        (b'{"after": [1], "hash": "a"}\n', "cannot be read: it does not say which lines it follows"),
        (b'{"after": [], "hash": "a"}\n', "was changed after it was written; restore the file"),
        (b"\xff\n", "cannot be read"),
    ],
)
def test_a_line_that_is_none_is_named(line, sentence):
    first, _ = seal({}, [])
    (fault,) = read_chain(first + line).faults
    assert str(fault).startswith(f"line 2, {sentence}")
