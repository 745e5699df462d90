"""What a call needs of this machine, looked at piece by piece: each check says what it found and, where that is not good, what to do.

    situation      what is looked at: profile, options, settings, the session that runs
    checks         which checks there are, in the order in which they are shown
    examination    runs them side by side, each with a deadline, and collects their findings
    one file per subject beside these

A check tries the real thing wherever that disturbs nobody: it opens the devices, sends to the group and listens, asks the servers, writes into the
profile. A failure of one check is a finding and never the end of the others.
"""
