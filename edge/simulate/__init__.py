"""The simulated rig: the real drivers on chip models, and someone who does what a test asks.

This room must never tell what measures what is true.
"""
