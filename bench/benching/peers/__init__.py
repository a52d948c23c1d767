"""Who is measured: each peer as data, and the programs of those that are not feedloom itself."""
