//! The host as a whole, and the program `berth`: the settings, the server, and the commands that run a host or look after
//! it on its own machine.

pub mod commands;
pub mod program;
pub mod server;
pub mod settings;
