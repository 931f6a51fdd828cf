"""Separate measurements, which compare no servers and are not part of the report."""
