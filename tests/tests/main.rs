//! All black-box tests, linked into one binary. The name of a test begins with the numbers of the rules, invariants and
//! faults that it proves, which are those of `tests/RULES.md`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test may fail loudly")]

mod access;
mod acts;
mod channel;
mod console;
mod console_jobs;
mod crash;
mod crash_endpoints;
mod directories;
mod downloads;
mod endpoint;
mod events;
mod gray;
mod gray_edit;
mod gray_policies;
mod greed;
mod guards;
mod host_apps;
mod house;
mod identity;
mod identity_provider;
mod intruders;
mod keys;
mod login_entries;
mod logs;
mod manifests;
mod messages;
mod official_accounts;
mod oidc;
mod people;
mod policies;
mod portal;
mod privacy;
mod processes;
mod recall;
mod recognitions;
mod releases;
mod replays;
mod rollback;
mod rules;
mod s3;
mod samples;
mod search;
mod second_factor;
mod settings;
mod sign_on;
mod sockets;
mod storage;
mod swap;
mod versions;
mod waiting;
mod webhooks;
mod wechat;
mod workspaces;
