"""What the scripts beside this folder are made of: who is measured, on what, how, and how it is told."""
