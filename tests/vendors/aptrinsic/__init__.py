"""Tests of what is true of Gainsight PX alone."""
