"""Read Standard MIDI Files: bytes to events, events to notes and pedal events.

    container   a file: its wrapper, header and track chunks
    walk        a track: the places where its events begin
    decode      all tracks: their events as arrays
    song        a file: its events in the order in which they sound
    notes       the definition of a note
    clock       seconds of ticks
    pedals      pedal events, by which notes are held
    sustain     the definition of a held note
    order       the order of pretty_midi
    build       a performance, with seconds and names
    report      the sentences about what is odd

Source: MIDI Manufacturers Association, "Standard MIDI Files 1.0" (RP-001), 1996.
"""
