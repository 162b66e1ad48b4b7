"""What the models are, and what stands behind each."""

import polars as pl

_NO_FIT = "no published fit: a modelling device; no published cap on volume absorption was found"

_MODELS = [
    {
        "model": "first_order",
        "about": "A constant share of the depot is absorbed per hour, however full it is.",
        "fit": "usual structure of published fits; take ka from the fit for the drug",
        "cite": "standard linear compartment result: PFIM library of models; R package wnl, Comp1",
    },
    {
        "model": "capped",
        "about": "Each site absorbs up to a limit; what comes faster waits under the skin.",
        "fit": _NO_FIT,
        "cite": "modelling device",
    },
    {
        "model": "hybrid",
        "about": "First-order while little lies under the skin, capped when much does.",
        "fit": _NO_FIT,
        "cite": "modelling device",
    },
]


def models() -> pl.DataFrame:
    """The models: ``model``, what it says (``about``), what was fitted (``fit``), and ``cite``."""
    return pl.DataFrame(_MODELS)
