"""The guided calibration: from a rig's own readings to its certificate, step by step.

This room must never use a number about the rig that was not read from it or stated by a person.
"""
