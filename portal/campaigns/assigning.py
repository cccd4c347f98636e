"""Who judges which line: data in, data out, the same answer each time. No database, no clock.

Nobody gets a line in which they are concerned. A line goes to the first rank (owners, then administrators, then reviewers) in which
somebody is free for it. Within a rank the lines are shared out as evenly as independence allows: an optimal semi-matching of a bipartite
graph, found by shifting lines along paths from who has more to who has at least two less until there is no such path (Harvey, Ladner,
Lovász, Tamir: "Semi-matchings for bipartite graphs and load balancing", 2006). Lines with the same free judges are counted, not moved one by one.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Share = dict[str, int]  # judge -> lines
Free = tuple[str, ...]  # judges who are free for a line, in the order of their rank


def concerned(holder: str | None, hands: Iterable[str], reports: Iterable[str]) -> frozenset[str]:
    """Who may not judge a right: whose it is, who asked for it or gave it, and who reports to whose it is."""
    return frozenset({*([holder] if holder else []), *hands, *reports})


def assign(
    lines: Mapping[str, frozenset[str]], ranks: Sequence[Sequence[str]], busy: Mapping[str, int] | None = None
) -> dict[str, str | None]:
    """Put each line to somebody.

    Args:
        lines: for each line, who is concerned in it.
        ranks: who may judge, the first rank first; of two ranks the first counts.
        busy: lines that wait for a judge already.

    Returns:
        For each line its judge; ``None`` where everybody is concerned, and only there.
    """
    groups: dict[tuple[int, Free], list[str]] = defaultdict(list)
    judged: dict[str, str | None] = dict.fromkeys(lines)
    members = _members(ranks)
    for key in sorted(lines):
        found = _first_free(lines[key], members)
        if found is not None:
            groups[found].append(key)
    loads = dict(busy or {})
    for rank in range(len(members)):
        here = {free: keys for (at, free), keys in sorted(groups.items()) if at == rank}
        shares = _Shares({free: len(keys) for free, keys in here.items()}, members[rank], loads)
        for free, keys in here.items():
            judged.update(zip(keys, shares.dealt(free), strict=True))
        loads.update(shares.loads)
    return judged


def _members(ranks: Sequence[Sequence[str]]) -> list[Free]:
    seen: set[str] = set()
    members = []
    for rank in ranks:
        members.append(tuple(dict.fromkeys(each for each in rank if each not in seen)))
        seen.update(rank)
    return members


def _first_free(out: frozenset[str], members: Sequence[Free]) -> tuple[int, Free] | None:
    for rank, people in enumerate(members):
        free = tuple(each for each in people if each not in out)
        if free:
            return rank, free
    return None


@dataclass
class _Shares:
    """How the lines of each group are shared out among the judges who are free for it."""

    sizes: Mapping[Free, int]
    people: Free
    before: Mapping[str, int]
    loads: Share = field(init=False)
    given: dict[Free, Share] = field(init=False)

    def __post_init__(self) -> None:
        self.loads = {each: self.before.get(each, 0) for each in self.people}
        self.given = {free: dict.fromkeys(free, 0) for free in self.sizes}
        for free in sorted(self.sizes, key=lambda each: (len(each), each)):  # who has least choice comes first
            for _ in range(self.sizes[free]):
                least = min(free, key=lambda each: self.loads[each])
                self._give(free, least, 1)
        while self._even_out():
            pass

    def dealt(self, free: Free) -> list[str]:
        """The judges of a group's lines, one for each line."""
        return [judge for judge in free for _ in range(self.given[free][judge])]

    def _give(self, free: Free, judge: str, lines: int) -> None:
        self.given[free][judge] += lines
        self.loads[judge] += lines

    def _even_out(self) -> bool:
        """Shift one line along a path that ends at least two lower; whether there was one."""
        enough = min(self.loads.values(), default=0) + 2
        for start in sorted(
            (each for each in self.people if self.loads[each] >= enough), key=lambda each: -self.loads[each]
        ):
            path = self._way_down(start)
            if path:
                for free, source, target in path:
                    self._give(free, source, -1)
                    self._give(free, target, 1)
                return True
        return False

    def _way_down(self, start: str) -> list[tuple[Free, str, str]]:
        """Steps from a judge over judges who could take a line from the one before, to one with at least two less."""
        came: dict[str, tuple[Free, str] | None] = {start: None}
        queue = deque([start])
        while queue:
            judge = queue.popleft()
            if self.loads[judge] <= self.loads[start] - 2:
                return _steps(came, judge)
            for free, share in self.given.items():
                if share.get(judge):
                    for other in free:
                        if other not in came:
                            came[other] = (free, judge)
                            queue.append(other)
        return []


def _steps(came: Mapping[str, tuple[Free, str] | None], end: str) -> list[tuple[Free, str, str]]:
    steps, at = [], end
    while (step := came[at]) is not None:
        free, source = step
        steps.append((free, source, at))
        at = source
    return steps
