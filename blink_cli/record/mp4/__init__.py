"""MP4 files in and out: boxes, fragments, edit lists (ISO 14496-12)."""
