"""Bounded, repeatable random tests: the whole suite must stay quick on two cores."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "bounded",
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("bounded")
