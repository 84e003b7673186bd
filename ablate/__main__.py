"""``python -m ablate`` is ``ablate``."""

from ablate_music import main

if __name__ == "__main__":
    main()
