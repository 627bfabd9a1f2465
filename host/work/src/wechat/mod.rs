//! WeChat's third-party platform: its encrypted pushes, its API, and the tokens with which this host acts for
//! merchants' accounts.

pub mod accounts;
pub mod client;
pub mod config;
pub mod crypt;
pub mod push;
pub mod xml;

pub use client::{Client, Refusal};
pub use config::{Platform, WechatConfig};
pub use crypt::{Crypt, CryptError, Envelope};
