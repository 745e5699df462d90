"""The log of RTP headers as CSV: written live, read, analysed, and made a capture or a plot of."""
