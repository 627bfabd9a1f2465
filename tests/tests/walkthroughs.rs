//! The walkthroughs of the documents, pasted and run. Each begins on a new host, with the README.

use berth_tests::walkthrough::Reader;

const README: &str = include_str!("../../README.md");
const DEVICES: &str = include_str!("../../host/docs/devices.md");
const IDENTITY: &str = include_str!("../../host/docs/identity.md");
const KEYS: &str = include_str!("../../host/docs/keys.md");
const LISTS: &str = include_str!("../../host/docs/lists.md");
const LOGS: &str = include_str!("../../host/docs/logs.md");
const MERCHANTS: &str = include_str!("../../host/docs/merchants.md");
const MESSAGES: &str = include_str!("../../host/docs/messages.md");
const OFFICIAL_ACCOUNTS: &str = include_str!("../../host/docs/official-accounts.md");
const OIDC: &str = include_str!("../../host/docs/oidc.md");
const PRIVACY: &str = include_str!("../../host/docs/privacy.md");
const SETTINGS: &str = include_str!("../../host/docs/settings.md");
const WIDEN: &str = include_str!("../../host/docs/widen-a-task.md");
const WORKSPACES: &str = include_str!("../../host/docs/workspaces.md");

/// Somebody who has published a MiniApp.
fn reader() -> Reader {
    Reader::default().reads(README, &["Publish a version"])
}

#[tokio::test]
async fn v7_g1_o4_a_version_is_published_released_in_grayscale_and_embedded() {
    let reader = reader().reads(README, &["Release it in grayscale", "Embed it in a host app"]);
    reader.reads(WIDEN, &[]).reads(LISTS, &[]).walks().await;
}

#[tokio::test]
async fn d1_d3_d4_d5_a6_a_mini_app_says_what_it_takes_and_devices_hear_of_it() {
    let reader = reader().reads(SETTINGS, &[]).reads(LOGS, &["Send", "Look", "Mask"]);
    reader.reads(PRIVACY, &[]).reads(DEVICES, &[]).walks().await;
}

#[tokio::test]
async fn k5_k6_k8_m3_m7_a_user_logs_in_and_a_message_arrives() {
    reader().reads(KEYS, &[]).reads(MESSAGES, &[]).walks().await;
}

#[tokio::test]
async fn u1_u19_a_user_logs_in_at_a_shop_by_openid_connect_and_by_oauth() {
    let sections = ["Once: the entry", "For each user", "A shop with OAuth 2.0", "Afterwards"];
    reader().reads(KEYS, &[]).reads(IDENTITY, &sections).walks().await;
}

#[tokio::test]
async fn u2_one_login_is_enough_for_all_mini_apps() {
    reader().reads(OIDC, &[]).walks().await;
}

#[tokio::test]
async fn u4_u6_u7_one_user_is_known_in_two_mini_apps_and_openids_are_swapped() {
    let proxy = "The proxy: the merchant's code runs unchanged";
    let sections = ["Once: the teams", "For each user: the consent", "Swap", proxy];
    reader().reads(KEYS, &[]).reads(IDENTITY, &sections).walks().await;
}

#[tokio::test]
async fn s2_s6_s9_u3_fans_are_reached_and_moved_and_one_person_is_linked_at_two_merchants() {
    let reader = Reader::default().reads(OFFICIAL_ACCOUNTS, &[]);
    reader.reads(IDENTITY, &["One person in two host apps"]).walks().await;
}

#[tokio::test]
async fn e1_e3_e9_a_merchant_has_a_store_with_several_mini_programs() {
    reader().reads(MERCHANTS, &[]).walks().await;
}

#[tokio::test]
async fn w3_w5_w6_w15_members_open_their_portal_and_internal_tools() {
    let people = ["A portal for an organisation", "The address book, by SCIM"];
    let portal = ["What there is to open", "Try the portal", "Who may open what"];
    let tools = ["Sign members on to internal tools", "How a member is known"];
    reader().reads(WORKSPACES, &[&people[..], &portal, &tools].concat()).walks().await;
}
