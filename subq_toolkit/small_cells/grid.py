"""Cells of a table with its totals: which to hide so that no small one can be reckoned."""

from subq_toolkit.effective import read_parameters

_FEWEST = int(read_parameters("publication")["fewest_withheld"].values[-1].value)


class Grid:
    """Counts at places ``(row, column)``, and which of them are hidden."""

    def __init__(self, counts: list[float], places: list[tuple[int, int]], least: int) -> None:
        self.counts, self.places, self.least = counts, places, least
        self.hidden = [0 < count < least for count in counts]
        self._in_parts = len(set(places)) > 1
        #: Cells of each total: of each row, of each column, and of all.
        self.totals: dict[tuple, list[int]] = {}
        for cell, place in enumerate(places):
            for key in (("row", place[0]), ("column", place[1]), ("all",)):
                self.totals.setdefault(key, []).append(cell)
        self.unknown = [*self._hidden_totals("row"), *self._hidden_totals("column")]

    def _hidden_totals(self, way: str) -> list[tuple]:
        """Totals of one way that are small, and those that would give them away."""
        sums = {key: self._sum(own) for key, own in self.totals.items() if key[0] == way}
        hidden = [key for key, total in sums.items() if 0 < total < self.least]
        rest = sorted((key for key in sums if sums[key] >= self.least), key=sums.get)
        while hidden and rest:
            if self._enough([sums[key] for key in hidden], [sums[key] for key in rest]):
                break
            hidden.append(rest.pop(0))
        return hidden

    def _sum(self, cells: list[int]) -> float:
        return sum(self.counts[cell] for cell in cells)

    def _enough(self, hidden: list[float], shown: list[float]) -> bool:
        """Whether these hide each other; also from who knows that the smallest are hidden first.

        To such a reader a shown ``least`` would say that another one hidden for its sake is that
        too, being neither smaller nor larger.
        """
        told = max(hidden, default=0) >= self.least and self.least in shown
        return len(hidden) >= _FEWEST and sum(hidden) >= self.least and not told

    def withhold(self) -> None:
        """Hide more cells until no small one can be told from the others."""
        for key in self.unknown:
            self._fill(key)
        while self._fill_totals() or self._cover_told():
            pass

    def _fill_totals(self) -> bool:
        """Whether a total with hidden cells had to hide more of them."""
        begun = [key for key, own in self.totals.items() if any(self.hidden[c] for c in own)]
        return any(self._fill(key) for key in sorted(begun, key=lambda key: len(self.totals[key])))

    def _fill(self, key: tuple) -> bool:
        own = self.totals[key]
        before = [cell for cell in own if self.hidden[cell]]
        while not self._enough(*self._parted(own)) and self._hide_smallest(own):
            pass
        return len(before) < sum(self.hidden[cell] for cell in own)

    def _parted(self, own: list[int]) -> tuple[list[float], list[float]]:
        """The counts of some cells that are hidden, and those shown from which more is chosen.

        Of a table in parts the choice is made within each part, so the whole tells nothing.
        """
        whole = self._in_parts and len(own) == len(self.counts)
        hidden = [self.counts[cell] for cell in own if self.hidden[cell]]
        shown = [self.counts[cell] for cell in own if not self.hidden[cell]]
        return hidden, [] if whole else shown

    def _hide_smallest(self, cells: list[int]) -> bool:
        """Hide the smallest cell above zero, or where there is none all zeros."""
        shown = [cell for cell in cells if not self.hidden[cell]]
        above = [cell for cell in shown if self.counts[cell]]
        for cell in [min(above, key=self.counts.__getitem__)] if above else shown:
            self.hidden[cell] = True
        return bool(shown)

    def _cover_told(self) -> bool:
        """Whether a small cell could still be told to be small, and more was hidden for it."""
        hid, room = False, self._room()
        for cell, count in enumerate(self.counts):
            while 0 < count < self.least and self._most(cell, room) < self.least:
                row, column = self.places[cell]
                near = [*self.totals["row", row], *self.totals["column", column]]
                if not (self._hide_smallest(near) or self._hide_smallest(self.totals["all",])):
                    break
                hid, room = True, self._room()
        return hid

    def _room(self) -> dict[tuple, dict[tuple, float]]:
        """How much hidden numbers may grow or shrink, as arcs from rows to columns and back.

        A cell is an arc from its row to its column: what goes along it makes it larger, what goes
        back makes it smaller, down to zero. Totals that are hidden are arcs as well.
        """
        room: dict[tuple, dict[tuple, float]] = {}
        endless = sum(self.counts) + self.least

        def link(start: tuple, end: tuple, held: float) -> None:
            room.setdefault(start, {})[end] = endless
            back = room.setdefault(end, {})
            back[start] = back.get(start, 0) + held

        for cell, (row, column) in enumerate(self.places):
            if self.hidden[cell]:
                link(("row", row), ("column", column), self.counts[cell])
        for key in self.unknown:
            ends = (("rows",), key) if key[0] == "row" else (key, ("columns",))
            link(*ends, self._sum(self.totals[key]))
        return room

    def _most(self, cell: int, room: dict[tuple, dict[tuple, float]]) -> float:
        """The most that a hidden cell may be for a reader who knows what is shown and the totals.

        What it gains, others must lose along a way from its column back to its row: the most
        that passes there.
        """
        row, column = (("row", self.places[cell][0]), ("column", self.places[cell][1]))
        left = {here: dict(ways) for here, ways in room.items()}
        left[column][row] -= self.counts[cell]
        return self.counts[cell] + _flow(left, column, row, enough=self.least)


def _flow(left: dict[tuple, dict[tuple, float]], start: tuple, end: tuple, enough: float) -> float:
    """The most that passes from ``start`` to ``end``, or at least ``enough`` of it."""
    passed = 0.0
    while passed < enough and (way := _way(left, start, end)):
        least = min(left[a][b] for a, b in way)
        for a, b in way:
            left[a][b] -= least
            left[b][a] = left[b].get(a, 0) + least
        passed += least
    return passed


def _way(left: dict[tuple, dict[tuple, float]], start: tuple, end: tuple) -> list[tuple]:
    """The shortest way with something left on every arc; empty if there is none."""
    came, ahead = {start: start}, [start]
    for here in ahead:
        for there, some in left[here].items():
            if some > 0 and there not in came:
                came[there] = here
                ahead.append(there)
    way = []
    while end in came and end != start:
        way.append((came[end], end))
        end = came[end]
    return way
