"""Rolls out a good version and a bad one as `labs/deployment.toml` says, while people come: who notices?"""

import http.client
import itertools
import json
import math
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
LOOKS = 12
"""So often a new copy is asked whether it is well, before it is given up."""


class Copy:
    """A process of its own, of one version."""

    def __init__(self, version):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-S", "-E", str(HERE / "one_copy.py"), str(self.port), version]
        self.version = version
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise RuntimeError(f"a copy of version {version} does not start")

    def ask(self, path):
        """(status, body); nothing where it does not answer to the end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def stop(self, seconds):
        """Tell it to stop, and kill it after so many seconds; whether somebody in it was cut off."""
        began, answers = threading.Event(), []
        asking = threading.Thread(target=self._ask_slowly, args=(began, answers))
        asking.start()
        began.wait(10)
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        asking.join()
        return answers != [self.version]

    def _ask_slowly(self, began, answers):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as line:
            line.sendall(b"GET /slow/ HTTP/1.0\r\n\r\n")
            try:
                head = line.recv(100)
                began.set()
                answers.append(line.recv(100).decode() if head else "")
            except OSError:
                answers.append("")
            finally:
                began.set()


class Rollout:
    """Old copies make room for new ones, and after each step some people come."""

    def __init__(self, how):
        self.how = how
        self.serving = [Copy("1") for _ in range(how["copies"])]
        for copy in self.serving:
            self._is_well(copy, "/health/ready/")
        self.came = self.failed = self.cut = 0
        self.fewest = len(self.serving)
        self.stuck = False
        self.turns = itertools.count()

    def to(self, version):
        how, old, new = self.how, list(self.serving), []
        least = math.ceil(how["copies"] * how["minimum_healthy_percent"] / 100)
        most = math.floor(how["copies"] * how["maximum_percent"] / 100)
        while old or len(new) < how["copies"]:
            moved = False
            all_new = len(new) == how["copies"]
            while old and len(self.serving) > least and (all_new or len(old) + how["copies"] > most):
                self._stop(old.pop())
                moved = True
            while len(old) + len(new) < most and len(new) < how["copies"]:
                copy = Copy(version)
                if not self._is_well(copy, how["health_check"]):
                    copy.stop(0)
                    return
                new.append(copy)
                self.serving.append(copy)
                self.people_come()
                moved = True
            if not moved:
                self.stuck = True
                return

    def end(self):
        for copy in self.serving:
            copy.process.kill()
            copy.process.wait()

    def _stop(self, copy):
        self.serving.remove(copy)  # first nobody is sent there any more
        self.cut += copy.stop(self.how["stop_seconds"])
        self.people_come()

    def _is_well(self, copy, path):
        for _ in range(LOOKS):
            if copy.ask(path)[0] == 200:
                return True
            time.sleep(0.01)
        return False

    def people_come(self):
        """Four of them, one after the other."""
        self.fewest = min(self.fewest, len(self.serving))
        for _ in range(4):
            self.came += 1
            self.failed += self.asked() not in ("1", "2")

    def asked(self):
        """What somebody gets who comes now."""
        if not self.serving:
            return ""
        status, body = self.serving[next(self.turns) % len(self.serving)].ask("/")
        return body if status == 200 else ""


def main():
    how = tomllib.loads(Path("labs/deployment.toml").read_text())
    told = {"good": rolled(how, "2"), "bad": rolled(how, "3")}
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    for version, said in (("2", told["good"]), ("3, which never gets ready,", told["bad"])):
        print(f"Version {version} is rolled out over {how['copies']} copies of version 1.")
        print(f"  of {said['came']} people who came, in vain  {said['failed']}")
        print(f"  people cut off in the middle  {said['cut']}")
        print(f"  copies that served, at least  {said['fewest']}")
        print(f"  whoever comes then gets       {said['then']}")
        if said["stuck"]:
            print("  and it is stuck: no copy may be stopped, and none started")


def rolled(how, version):
    """What came of it."""
    rollout = Rollout(how)
    try:
        rollout.to(version)
        rollout.people_come()
        got = {rollout.asked() for _ in range(how["copies"])}
        then = "nothing" if "" in got else "version " + " or ".join(sorted(got))
        return {
            "came": rollout.came, "failed": rollout.failed, "cut": rollout.cut, "fewest": rollout.fewest,
            "stuck": rollout.stuck, "then": then,
        }  # fmt: skip
    finally:
        rollout.end()


if __name__ == "__main__":
    main()
