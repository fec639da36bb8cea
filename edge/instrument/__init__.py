"""This rig: its settings, its wiring, and its chips opened as drivers that give frames.

This room must never turn a code into grams.
"""
