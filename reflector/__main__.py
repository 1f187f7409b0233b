"""`python -m reflector` is the `bgp-reflector` command."""

import sys

from reflector.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
