"""Tools that agents, scripts and people call by name: typed, checked, within budgets, the same on every surface."""
