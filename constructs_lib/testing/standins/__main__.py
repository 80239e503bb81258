"""Run one stand-in: `python -m constructs_lib.testing.standins archive`, as Terraform would."""

import sys

from constructs_lib.testing.standins.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
