//! Stepgate's command line.

fn main() {}
