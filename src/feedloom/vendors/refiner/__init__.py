"""Refiner: in-app surveys, their responses, contacts, forms, segments and reports."""
