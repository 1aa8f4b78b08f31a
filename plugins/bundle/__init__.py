"""Support bundles: facts and what else an analysis needs, in one file that holds no secret."""
