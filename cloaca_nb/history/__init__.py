"""What happened, kept: the journal that every process writes, and the DuckDB database that they are merged into."""
