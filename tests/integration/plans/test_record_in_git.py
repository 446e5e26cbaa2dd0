"""Records of branches that were merged by git itself, with the attributes that the plans' directory has."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from strangler.plans.chain import read_chain
from strangler.plans.errors import PlanError
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import FORWARDS, Event, Position

PLANS = Path(__file__).parents[3] / "migration_plans"
BRANCHES = ("main", "ada", "bob")


class Repository:
    def __init__(self, directory):
        self.directory = directory
        self.record = directory / "migration_plans" / "0001_reviews" / "record.jsonl"
        self.git("init", "-q", "-b", "main")
        self.record.parent.mkdir(parents=True)
        shutil.copy(PLANS / ".gitattributes", directory / "migration_plans")
        self.commit()

    def git(self, *arguments, code=0):
        identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Keep the record")

    def on(self, branch):
        """The recorder on a branch, which is made where it does not exist."""
        self.git("checkout", "-q", "-B" if branch not in self.branches() else "-f", branch)
        return PlanRecorder(self.record, "0001_reviews", who=branch)

    def branches(self):
        return {path.name for path in (self.directory / ".git" / "refs" / "heads").iterdir()}

    def append(self, branch, *events):
        recorder = self.on(branch)
        for index, event in events:
            recorder.append(event, plan_hash="", index=index, operation="Do", direction=FORWARDS, facts={})
        self.commit()
        return recorder


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def done(index):
    return ((index, Event.STARTED), (index, Event.DONE))


def test_two_branches_that_both_appended_merge_without_a_hand_and_verify(repository):
    repository.append("main", *done(0))
    for branch in ("ada", "bob"):
        repository.on("main")
        repository.append(branch, *done(1))
    recorder = repository.append("bob", *done(2))
    repository.git("merge", "-q", "--no-edit", "ada")
    assert recorder.read().faults == ()
    assert len(recorder.entries()) == 2 + 2 + 4
    assert len(recorder.read().heads) == 2
    # Whether the third operation is applied is what the branches do not agree on; the next run settles it.
    assert recorder.position() == Position(lowest=2, highest=3)
    recorder = repository.append("bob", *done(2))
    assert recorder.position() == Position(lowest=3, highest=3)
    assert len(recorder.read().heads) == 1


def test_the_order_of_a_merge_does_not_matter(repository):
    repository.append("main", *done(0))
    for branch, index in (("ada", 1), ("bob", 2)):
        repository.on("main")
        repository.append(branch, (index, Event.STARTED))
    seen = []
    for ours, theirs in (("ada", "bob"), ("bob", "ada")):
        recorder = repository.on(ours)
        repository.git("checkout", "-q", "--detach")
        repository.git("merge", "-q", "--no-edit", theirs)
        seen.append((recorder.standing(), {entry.hash for entry in recorder.entries()}))
    assert seen[0] == seen[1]


def test_two_branches_that_both_began_the_record_merge(repository):
    for branch in ("ada", "bob"):
        repository.on("main")
        recorder = repository.append(branch, *done(0))
    repository.git("merge", "-q", "--no-edit", "ada")
    assert recorder.read().faults == ()
    assert recorder.position() == Position(lowest=1, highest=1)


def test_without_the_attribute_the_conflict_is_told_with_its_remedy_and_keeping_both_sides_is_sound(repository):
    (repository.directory / "migration_plans" / ".gitattributes").unlink()
    repository.commit()
    repository.append("main", *done(0))
    for branch in ("ada", "bob"):
        repository.on("main")
        recorder = repository.append(branch, *done(1))
    repository.git("merge", "-q", "--no-edit", "ada", code=1)
    with pytest.raises(PlanError, match=r'line 3, is a mark of a merge .* put "record.jsonl merge=union -text"'):
        recorder.position()
    marks = (b"<<<<<<<", b"=======", b">>>>>>>")
    lines = repository.record.read_bytes().splitlines(keepends=True)
    repository.record.write_bytes(b"".join(line for line in lines if not line.startswith(marks)))
    assert recorder.read().faults == ()


@pytest.mark.parametrize("seed", range(6))
def test_however_branches_are_merged_nothing_is_lost_and_all_of_it_verifies(repository, seed):
    """Criss-cross merges included, after which git may leave a line twice."""
    chance = random.Random(seed)
    repository.append("main", *done(0))
    written = dict.fromkeys(BRANCHES, 0)
    for branch in BRANCHES[1:]:
        repository.on("main")
        repository.on(branch)
    for _ in range(12):
        branch = chance.choice(BRANCHES)
        if chance.random() < 0.5:
            events = done(chance.randrange(4))
            repository.append(branch, *events)
            written[branch] += len(events)
        else:
            repository.on(branch)
            repository.git("merge", "-q", "--no-edit", chance.choice([other for other in BRANCHES if other != branch]))
        assert read_chain(repository.record.read_bytes()).faults == ()
    recorder = repository.on("main")
    for other in BRANCHES[1:]:
        repository.git("merge", "-q", "--no-edit", other)
    by_author = [entry.who for entry in recorder.entries()]
    assert {who: by_author.count(who) for who in BRANCHES} == {**written, "main": written["main"] + 2}
