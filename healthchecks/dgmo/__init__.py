"""DGMO: its session store on disk, and its memory in Qdrant."""
