"""``python -m invariant_cluster``, the command line, also for torchrun."""

from invariant_cluster.cli import main

if __name__ == "__main__":
    main()
