"""What all tests share."""

from hypothesis import settings

settings.register_profile("micrograd_plus", deadline=None)  # no test asserts on a time
settings.load_profile("micrograd_plus")
