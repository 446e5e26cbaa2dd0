"""What the report says in sentences; whatever has a figure in it comes from the results. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.compare.intervals import ENOUGH
from strangler.compare.judging import Figure, figures
from strangler.compare.numbers import number, span
from strangler.compare.page_faults import kept
from strangler.compare.results import Results

LITERATURE = (
    "<p>Blinowski, Ojdowska and Przybyłek, <cite>Monolithic vs. Microservice Architecture: A Performance and "
    "Scalability "
    "Evaluation</cite>, IEEE Access 10 (2022), 20357–20374, <a href='https://doi.org/10.1109/ACCESS.2022.3152803'>"
    "doi:10.1109/ACCESS.2022.3152803</a>, compared one application in four versions (Java and .NET), with a light "
    "and a heavy "
    "route, on one machine and in Azure. They found that on a single machine the monolith performs better than its "
    "microservices; services over HTTP lost 27–47% of the throughput on the light route and 2–4% on the heavy one "
    "there. Here the "
    "same may be read from the row “highest rate within the bound”; the applications, languages and machines are "
    "others, "
    "so compare the direction, not the digits. What is called heavy there computes; here it queries and serialises.</p>"
)
_SPOKEN = ("throughput", "p50", "p95", "cpu", "memory", "idle", "start")


def in_short(results: Results) -> Iterator[str]:
    """What is told apart, of the measures that matter most; what is not, is said to be so."""
    names = [arm["name"] for arm in results.arms]
    if results.about["size"]["repetitions"] < ENOUGH:
        yield (
            f"With fewer than {ENOUGH} repetitions nothing is called better or worse: this run only shows how it "
            "is done."
        )
    for name in names[1:]:
        told = [figure for figure in _judged(results, names[0]) if figure.arm == name]
        better, worse = ([each for each in told if each.better is way] for way in (True, False))
        yield f"{name}, held against {names[0]}: {_several('better', better)}; {_several('worse', worse)}."
    if results.faults:
        shares = (f"{name} {good} of {asked}" for name in names for good, asked in [kept(results, name)])
        yield (
            f"Promises kept while some part failed, of all that were tried: {', '.join(shares)}. Arms have "
            "different parts."
        )


def when_to_choose(results: Results) -> Iterator[str]:
    """Reasons, and where this run has something to say to one, what."""
    yield (
        "The modular monolith is the one to choose while nobody needs what only a process boundary gives: releases "
        "of a team's own "
        "rhythm, scaling one part alone, faults that stay where they are, another language or database. It has the "
        "seams, and so "
        "keeps the way to services open: what a plan cuts is cut already."
    )
    yield (
        "It is no less true for a small team, for one release a day or fewer, and for a shop that fits on one "
        "machine: there the "
        "services' price is paid by all requests, and their gain is for few."
    )
    yield from _price(results)
    yield (
        "Services are the ones to choose where a part of the shop must go on when another one falls, or must be "
        "released without "
        "the others: look at the tables of faults and of changes for what that is worth here, and for what it is not."
    )
    yield (
        "The plain monolith is the one to keep where nobody will touch the seam: cutting foreign keys costs checks "
        "that the database made."
    )
    yield (
        "The proxy is part of the arm with services: this is the toolkit's own, in Python. A faster engine "
        "(docs/engines.md) takes less."
    )


def method(results: Results) -> Iterator[str]:
    """How it was done."""
    size, about = results.about["size"], results.about
    yield f"Shared resources: {about['shared']}."
    yield (
        "One arm runs at a time; the others are halted (SIGSTOP). Each repetition has every arm once, in an order "
        "drawn from the "
        f"seed ({about['seed']}); {size['repetitions']} repetitions. Before the first, every arm serves each route for "
        f"{size['warm_up'] + 0.5 + size['steady']:g} s, and in each turn each route for {size['warm_up']:g} s, "
        f"uncounted."
    )
    yield (
        f"The load is open loop: requests come at random times, the same for every arm, {size['steady']:g} s at a "
        f"rate that is "
        f"{100 * size['share']:.0f}% of what the slowest arm can do. Latencies count from when a request was due, "
        f"not from when it "
        "was sent, so what a stall delays is delayed in the figures too (coordinated omission). An answer that does "
        "not come in 5 s "
        "counts as failed, with 5 s."
    )
    yield (
        f"The highest rate within the bound is the highest at which {size['probe']:g} s of such requests all "
        f"succeed, 95% within "
        f"{1000 * size['bound']:.0f} ms; it is looked for by halving, {size['probes']} rates a time, between 0.4 and "
        f"1.4 of what eight "
        "busy clients get. It never comes out above that, and is as coarse as the probes are few: the interval says "
        "how coarse."
    )
    yield (
        "CPU is that of all processes of the arm, databases too, while the fixed rate is served, what they do "
        "unasked included; memory "
        "is the sum of proportional shares (PSS) after the load. Parts that serve no page (worker, payment, AWS, "
        "events) are down "
        "while pages are measured, in every arm; the copy that keeps services reversible runs."
    )
    yield (
        "Intervals: 99%, bootstrap of the mean, 10,000 draws, widened for few repetitions (expanded percentiles); "
        "ratios from "
        f"repetitions in pairs. Better or worse is said only where two intervals do not overlap, and from {ENOUGH} "
        f"repetitions on. There "
        "are dozens of comparisons here: 99% keeps the chance that one of them errs small, not nothing."
    )
    yield (
        "The answers of all arms to the interface's routes were compared before anything was measured, and were the "
        "same. The code "
        "differs where it must: the service's queries read names by subqueries, Orchard's by joins; the modular "
        "monolith runs the "
        "service's."
    )
    yield (
        "What it does not show: several machines and a network between them, more than a few hundred requests a "
        "second, writes under "
        "load, scaling out, other languages. All of it is on one machine, where a process boundary costs CPU and "
        "brings no cores."
    )


def again(results: Results) -> str:
    """The command that does it once more."""
    names = ",".join(arm["name"] for arm in results.arms)
    quick = " --quick" if results.about["size"]["name"] == "quick" else ""
    return f"strangler compare --arms {names} --seed {results.about['seed']}{quick}"


def _price(results: Results) -> Iterator[str]:
    """What the boundary costs, where the modular monolith and services were both measured."""
    names = [arm["name"] for arm in results.arms]
    if not {"modular", "services"} <= set(names):
        return
    told = [figure for figure in _judged(results, "modular") if figure.arm == "services"]
    shown = [each for each in told if each.better is not None]
    if not shown:
        yield (
            "What the process boundary costs was not told apart from nothing in this run, which is no proof that "
            "it costs nothing."
        )
        return
    each = "; ".join(f"{_what(figure)} × {span(figure.ratio)}" for figure in shown if figure.ratio is not None)
    yield f"In this run the boundary made, of the same code in one process: {each}."


def _judged(results: Results, against: str) -> list[Figure]:
    found = []
    for route in ("", *(route["name"] for route in results.routes)):
        for row in figures(results, route, against):
            found += [each for each in row if each.verdict is not None and each.measure.name in _SPOKEN]
    return found


def _several(word: str, told: list[Figure]) -> str:
    if not told:
        return f"nothing shown {word}"
    items = (
        f"{_what(each)} ({number(each.found.mean)} {each.measure.unit}"
        f"{f', × {number(each.ratio.mean)}' if each.ratio is not None else ''})"
        for each in told
    )
    return f"{word} in {', '.join(items)}"


def _what(figure: Figure) -> str:
    return f"{figure.measure.words} of {figure.route}" if figure.route else figure.measure.words
