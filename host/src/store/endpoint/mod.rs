//! Merchants and what they own.

mod channel;
mod merchant;
