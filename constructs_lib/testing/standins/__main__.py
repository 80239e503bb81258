"""Runs a stand-in as Terraform does: `python -m constructs_lib.testing.standins archive`."""

import sys

from constructs_lib.testing.standins.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
