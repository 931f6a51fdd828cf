"""Measurements that stand alone: they compare no servers and are not part of the report."""
