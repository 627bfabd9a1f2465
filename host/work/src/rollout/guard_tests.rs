//! Tests of guards on a whole host, by the clock.
