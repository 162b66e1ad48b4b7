"""Controls for a policy: a preset, and every choice with its answers and their sources."""

from collections.abc import Callable
from dataclasses import fields

import ipywidgets as w

from subq_toolkit.panels.answer_pages import choice_page
from subq_toolkit.policy import Policy, policy_choices, policy_preset, policy_presets

_OWN = "own choices"


class PolicyControls(w.VBox):
    """A preset and each choice behind it; ``policy`` is what they say.

    ``changed`` is called once for each change of the policy, also when a preset moves
    several choices.
    """

    def __init__(self, policy: Policy, *, changed: Callable) -> None:
        self._changed, self._moving = changed, False
        self._questions = policy_choices().partition_by("choice", as_dict=True, maintain_order=True)
        self._questions = {name: table for (name,), table in self._questions.items()}
        presets = policy_presets()["preset"].to_list()
        self._known = {policy_preset(name): name for name in reversed(presets)}
        words = [(name.replace("_", " "), name) for name in presets]
        self.preset = w.Dropdown(options=[*words, (_OWN, _OWN)], description="Policy")
        self.preset.layout.width = "170px"
        self.preset.add_class("sq-field")
        self.choices: dict[str, w.ValueWidget] = {
            name: self._control(name, getattr(policy, name)) for name in self._questions
        }
        self._pages = {name: w.HTML() for name in self._questions}
        cards = w.Box([w.VBox([self._pages[name], self.choices[name]]) for name in self.choices])
        cards.add_class("sq-choices")
        self.fold = w.Accordion([cards], selected_index=None)
        super().__init__([self.fold])
        self._describe()
        self.preset.observe(self._take_preset, names="value")
        for control in self.choices.values():
            control.observe(self._take_choice, names="value")

    @property
    def policy(self) -> Policy:
        """The choices as they stand."""
        return Policy(**{name: control.value for name, control in self.choices.items()})

    def set(self, policy: Policy) -> None:
        """Move every control to ``policy``, without calling ``changed``."""
        self._moving = True
        try:
            for field in fields(policy):
                self.choices[field.name].value = getattr(policy, field.name)
        finally:
            self._moving = False
        self._describe()

    def _take_preset(self, change: dict) -> None:
        if self._moving or change["new"] == _OWN:
            return
        self.set(policy_preset(change["new"]))
        self._changed()

    def _take_choice(self, _change: dict) -> None:
        if self._moving:
            return
        self._describe()
        self._changed()

    def _describe(self) -> None:
        policy = self.policy
        self._moving = True
        try:
            self.preset.value = self._known.get(policy, _OWN)
        finally:
            self._moving = False
        name = self.preset.value.replace("_", " ")
        title = f"Policy: {name} · {len(self.choices)} choices on which sources disagree"
        self.fold.titles = (title,)
        for name, table in self._questions.items():
            given = getattr(policy, name)
            answers = [
                (row["answer"].replace("_", " "), row["means"], row["cite"], _holds(given, row))
                for row in table.iter_rows(named=True)
            ]
            self._pages[name].value = choice_page(table["question"][0], answers)

    def _control(self, name: str, value: str | int) -> w.ValueWidget:
        label = {"description": name.replace("_", " "), "style": {"description_width": "auto"}}
        if isinstance(value, int):
            control = w.BoundedIntText(value, min=0, max=60, **{**label, "description": "minutes"})
        else:
            answers = self._questions[name]["answer"].to_list()
            options = [(answer.replace("_", " "), answer) for answer in answers]
            control = w.Dropdown(options=options, value=value, **label)
        control.add_class("sq-field")
        return control


def _holds(given: str | int, row: dict) -> bool:
    if isinstance(given, int):
        return (given == 0) == (row["answer"] == "0")
    return given == row["answer"]
