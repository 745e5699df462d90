"""Pictures encoded and decoded: VP8 through FFmpeg's libvpx."""
