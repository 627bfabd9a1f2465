//! Merchants and what they own.

mod merchant;
