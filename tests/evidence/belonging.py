"""Which use of the demo's past a judged row belongs to, and by that to which scenario of the catalogue."""

from collections.abc import Mapping
from typing import Any

from audit.completeness.windows import window_id
from audit.controls.loading import load_catalogue
from audit.facts.schema import load_schema
from tests.evidence.conftest import Played

Columns = Mapping[str, Any]


class Belonging:
    """The play with its rows turned round: from what a row names to the use."""

    def __init__(self, played: Played) -> None:
        """Look everything up once."""
        self.played = played
        self.rows: dict[str, dict[str, Columns]] = {}
        self.known = {str(key): use for use, key in (*played.requests.items(), *played.grants.items())}
        for system in played.systems.values():
            self.known |= {window_id(system, "grant", grant): use for use, grant in played.grants.items()}
        self.known |= {
            key: self.known[str(row["grant_id"])]
            for key, row in self.of("reviews").items()
            if row["grant_id"] in self.known
        }
        self.rights = {
            (row["person_id"], row["system_id"]): self.known[key]
            for key, row in sorted(self.of("grants").items(), key=lambda each: each[1]["opened_at"] or 0)
            if not self.known[key].startswith("BG-12")
        }

    def of(self, table: str) -> dict[str, Columns]:
        """Rows of a table by their keys."""
        if table not in self.rows:
            key = load_schema().tables[table].key
            self.rows[table] = {str(row[key]): row for row in self.played.rows(table)}
        return self.rows[table]

    def scenario(self, test: str, row: str) -> str:
        """The scenario that a judged row belongs to; nothing for what stands around the uses."""
        use = self.use(test, row)
        return "BG-12" if use.startswith("BG-12") else use

    def use(self, test: str, row: str) -> str:
        """The use that a judged row, or a row that stands in for one, belongs to."""
        population = load_catalogue().tests[test].population
        for table in (population.of, *(["source_windows"] if row in self.of("source_windows") else [])):
            columns = self.of(table).get(row)
            if columns is not None:
                return self._of_row(table, row, columns)
        return self.known.get(row, "")

    def _of_row(self, table: str, key: str, columns: Columns) -> str:
        if table == "duties" and columns["kind"] == "drill":
            return "BG-12"
        named = (key, *(str(columns.get(name)) for name in ("request_id", "grant_id", "subject_id")))
        found = next((self.known[each] for each in named if each in self.known), "")
        if found or table not in ("source_windows", "eligibilities", "items"):
            return found
        if table == "source_windows":
            return self._of_day(columns)
        right = columns if table == "eligibilities" else self.of("eligibilities").get(str(columns["subject_id"]), {})
        return self.rights.get((right.get("person_id"), right.get("system_id")), "")

    def _of_day(self, window: Columns) -> str:
        """The use that falls into a whole day of a source."""
        for key, grant in self.of("grants").items():
            opened = grant["opened_at"]
            if opened and grant["system_id"] == window["system_id"] and window["from_at"] <= opened <= window["to_at"]:
                return self.known[key]
        return ""
