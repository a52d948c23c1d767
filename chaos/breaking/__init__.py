"""Breaks syncs on purpose and counts what became of them; ``chaos/run.py`` and ``chaos/soak.py`` are its programs."""
