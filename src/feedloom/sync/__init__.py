"""Keeps tables complete and fresh: plan, run, count, report."""
