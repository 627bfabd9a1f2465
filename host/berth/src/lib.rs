pub mod commands;
pub mod program;
pub mod server;
pub mod settings;
