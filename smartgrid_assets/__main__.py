"""`python -m smartgrid_assets`: the command line without its script, for this very Python."""

from smartgrid_assets.cli import main

if __name__ == "__main__":
    main()
