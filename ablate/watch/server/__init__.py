"""The server of the page; it needs Starlette and uvicorn, which are in the extra ``ablate-music[watch]``.

The modules in the order of reading:

- :mod:`ablate.watch.server.serve`: the server, from its socket to its end;
- :mod:`ablate.watch.server.app`: its addresses; the page is in ``page/``;
- :mod:`ablate.watch.server.guard`: who may ask: tokens, names of hosts, and the headers of every answer;
- :mod:`ablate.watch.server.stream`: server-sent events.
"""
