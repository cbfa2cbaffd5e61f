"""Everything that is drawn: diagnostics, plans, runs, tables. No other module knows of colours or widths."""
