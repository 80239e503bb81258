"""Facts about AWS that rules use, each table with its source and the date it was read."""
