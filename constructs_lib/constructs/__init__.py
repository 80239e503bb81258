"""One folder for each construct."""
