"""Holds what the database has against the vendor's own figures, and says of each difference what it is."""
