"""`python -m stockbuddy.embedded.backup`: the commands `stockbuddy backup` and `stockbuddy restore`."""

import sys

from stockbuddy.embedded.backup.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
