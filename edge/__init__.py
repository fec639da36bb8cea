"""The instrument: from frames of raw codes to a verdict with evidence."""

import logging

__version__ = "0.1.0"

# Whoever measures may log; who only shows a result does not want to see it.
logging.getLogger("halfpercent").addHandler(logging.NullHandler())
