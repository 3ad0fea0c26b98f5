"""The field case on one machine: a simulated wallbox, a stand-in for evcc, and the real proxy between them."""
