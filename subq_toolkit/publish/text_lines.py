"""How a text breaks into lines of a given width, for what cannot measure its own."""

from subq_toolkit.charts.wording import shortened, text_px


def broken(text: str, *, font_px: float, width_px: float, most: int) -> tuple[list[str], bool]:
    """A text as lines of a width and at most so many, and whether it was cut for that."""
    told, words = [""], text.split()
    while words:
        longer = f"{told[-1]} {words[0]}".strip()
        if text_px(longer, font_px=font_px) <= width_px:
            told[-1] = longer
            del words[0]
        elif told[-1]:
            told.append("")
        else:
            told[-1] = shortened(words[0], width_px=width_px, font_px=font_px, mark="")
            words[0] = words[0][len(told[-1]) :]
    if len(told) <= most:
        return told, False
    rest = " ".join(told[most - 1 :])
    return [*told[: most - 1], shortened(rest, width_px=width_px, font_px=font_px)], True
