"""feedloom loads Refiner and Gainsight PX into your own database, complete and checked."""

__version__ = "0.1.0"
