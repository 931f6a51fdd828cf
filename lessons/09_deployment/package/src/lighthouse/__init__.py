"""A page about a lighthouse, as a package that can be installed."""
