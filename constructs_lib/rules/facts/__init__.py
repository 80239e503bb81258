"""Facts of AWS that rules compare with, each table with its source and the date of reading."""
