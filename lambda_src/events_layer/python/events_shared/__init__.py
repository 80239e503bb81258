"""What the functions of the events stack share; a Lambda layer, so that it stands on their path as it is."""
