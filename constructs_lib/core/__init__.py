"""What constructs stand on: stacks, regions, arguments, policies, alarms, checks at synth."""
