"""Records that all rooms speak in: frame, second, event, phase, weighing, sample, result.

Frozen values without behaviour. This room must never compute, read a clock, or know who uses it.
"""
