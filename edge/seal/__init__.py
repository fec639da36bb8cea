"""What a stranger can check: the rig's key, the manifest it signs, and the log that its seals are leaves of.

This package must never be a condition of measuring: where it fails, a run is unsealed, and a line says so.
"""
