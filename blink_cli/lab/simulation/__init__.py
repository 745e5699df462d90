"""Sessions without sockets, threads and clocks: the rules of calls in virtual time, with seeds."""
