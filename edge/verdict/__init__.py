"""From a run that has ended to its result: the decision after JCGM 106, its words, its warnings.

This room must never turn a run that cannot be judged into a number that looks like a result.
"""
