"""Reports: what a run's result looks like to people. Nothing here computes; it only shows."""
