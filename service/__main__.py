"""`python -m service` is `sealmark`."""

from service.cli import main

if __name__ == "__main__":
    main()
