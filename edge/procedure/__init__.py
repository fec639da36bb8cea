"""Where in the test a run is: plan, parameters, phases, excursions, and the pipeline that joins them to the fold.

This room must never judge.
"""
