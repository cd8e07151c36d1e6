"""`python -m analysis …`: the command line without a screen."""

from analysis.cli import main

if __name__ == "__main__":
    main()
