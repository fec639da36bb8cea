"""The instrument: from frames of raw codes to a verdict with evidence."""

__version__ = "0.1.0"
