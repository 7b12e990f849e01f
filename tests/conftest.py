"""What all tests share."""

from hypothesis import settings

# A machine under load is slow now and then; how long an example takes is not what a property says.
settings.register_profile("cloaca_nb", deadline=None)
settings.load_profile("cloaca_nb")
