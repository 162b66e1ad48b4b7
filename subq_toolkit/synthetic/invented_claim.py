"""The charges of one invented encounter while they are being made up."""

from subq_toolkit.synthetic.charge_shapes import charge_shapes

FIRST, FURTHER, SETUP, SHORT = "96369", "96370", "96371", "96372"
#: What stands on a claim where the wrong family was charged.
VEIN = {FIRST: "96365", FURTHER: "96366"}


class Claim:
    """The charges of one encounter while they are being invented."""

    def __init__(self, encounter: dict, coder: str, place: int) -> None:
        self.of, self.place, self.lines = encounter, place, []
        self._head = {
            "encounter_id": encounter["encounter_id"],
            "revenue_code": charge_shapes()["revenue_codes"].get(encounter["setting"]),
            "payer": encounter["payer"],
            "department": encounter["department"],
            "coder": coder,
            "frequency": "1",
            "status": "final",
        }

    def number(self, nth: int = 1) -> str:
        """Number of the encounter's first, second, ... claim."""
        return f"CLM{self.place + 1:06}-{nth}"

    def add(self, code: str, units: int, *, nth: int = 1, **other: object) -> None:
        """Charge a code."""
        amount = charge_shapes()["charges"][code] * units
        charge = {
            "charge_usd": amount,
            "claim_id": self.number(nth),
        }
        day = {"service_date": self.of["service_date"]}
        self.lines.append(self._head | day | charge | {"code": code, "units": units} | other)

    def charge_as_supported(self) -> None:
        """Charge what the chart supports, and the injections beside it."""
        one = self.of
        if one["outcome"] != "coded" or not one["infusion_min"]:
            return
        for name, code in (("first", FIRST), ("further", FURTHER), ("setup", SETUP)):
            if one[name]:
                self.add(code, one[name])
        shots = one["short"] + (one["injections"] if one["first"] or one["short"] else 0)
        if shots:
            self.add(SHORT, shots, modifiers="59" if one["first"] else None)
        if one["veins"] and one["first"]:
            self.add(VEIN[FIRST], 1)

    def line(self, code: str) -> dict:
        """The line of a code that was charged."""
        return next(line for line in self.lines if line["code"] == code)

    def codes(self) -> list[str]:
        """Codes charged so far."""
        return [line["code"] for line in self.lines]

    def found(self, **by_code: str) -> list[tuple]:
        """What an audit must find: class by code, ``c96369="over"``."""
        return [(self.of["encounter_id"], code[1:], name) for code, name in by_code.items()]

    def all_found(self, name: str) -> list[tuple]:
        """The same class for every code charged."""
        return [(self.of["encounter_id"], code, name) for code in self.codes()]
