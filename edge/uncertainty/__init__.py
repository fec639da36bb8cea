"""What is not known of a loss, after GUM: components, corrections, budget, forecast.

This room must never leave out an input because it is inconvenient.
"""
