//! What to do about a refusal in the console, where the API's page speaks of commands and requests.

use berth_base::error::Code;

/// In English; `None` where the API's own cure says it for the console as well, or the refusal cannot come up in the console.
pub(super) fn in_the_console(code: Code) -> Option<&'static str> {
    Some(match code {
        // requests
        Code::InvalidField => {
            "The form marks the field that is wrong and says its rule. Change it, and send the form again."
        }
        Code::InvalidCursor => "Go back to the first page of the list, and go on from there page by page.",
        Code::BodyTooLarge => {
            "Leave files out, or send less at once. For packages the operator sets the limit: `berth serve --help`."
        }
        Code::FileTooLarge => "Use “Download the package” on the page of the version, and look at the file there.",
        Code::NotFound => {
            "Look for it in its list or by “Search” at the top, and check under “My access” whether you have a role there."
        }
        Code::RouteNotFound => "Check the spelling of the address, or begin at “Home” and follow the links from there.",
        Code::TooManyRequests => {
            "Wait some minutes, and try again. After many wrong passwords or codes it takes longer."
        }
        Code::PreconditionFailed => {
            "Somebody has changed it meanwhile. Load the page again, see what is there now, and make your change again."
        }

        // access
        Code::MissingToken => "Sign in on the page “Sign in”, with your name and password or with an API token.",
        Code::InvalidToken => {
            "Sign in with your name and password, or with a valid token. “Create a token” under “My access” makes one."
        }
        Code::ExpiredToken => {
            "Sign in with your name and password, and make a new token by “Create a token” under “My access”. If you have no password, ask an admin."
        }
        Code::InvalidHostAppKey => {
            "The key is on the page of the host app, one that was replaced under “Former keys”. A staging host has other keys than a live one."
        }
        Code::MissingGrant => {
            "“My access” shows your roles, the scopes of your tokens, and your account id. Give that id to an admin of the place, who can give you a role. If a scope is missing, create a new token."
        }
        Code::LastAdmin => {
            "Make another account admin first, by “Give a role” under “Members” (in a workspace, under “Roles”). Or invite an admin under “Accounts”."
        }
        Code::AccountDisabled => {
            "Ask an admin of the platform to choose “Enable” under “Accounts”. The account can then be used again, with the same tokens and roles."
        }
        Code::WrongCredentials => {
            "Check upper and lower case. If you have forgotten the password, ask an admin of the platform for a link to set another one: `berth account invite --account ACCOUNT`."
        }
        Code::SecondFactorRequired => {
            "Type the six digits of your app, or a recovery code. If you have lost both, ask an admin of the platform to turn the second step off, on the page of your account under “Accounts”."
        }
        Code::SecondFactorOwed => {
            "Every page leads you to “Two-step sign-in”: choose “Set up” there. Then you can go on without signing in again."
        }
        Code::SecondFactorExists => {
            "First turn it off with the password or a code, under “Two-step sign-in” on the page “My access”. Then set up the other one."
        }
        Code::NoPassword => {
            "First set a sign-in name and a password, under “Change the password” on the page “My access”."
        }
        Code::LastWayIn => {
            "Have the person set a password first. Or tick “Take it away all the same”, and let them in again by `berth account invite --account ACCOUNT`."
        }
        Code::MemberUnknown => {
            "Ask an admin of the workspace. The page “Portal” says which claim names the member; it must be the “User name” or the “Id in the organisation” of exactly one member."
        }
        Code::MemberOther => {
            "Ask an admin of the workspace. If it is the same person, the admin uses “Forget their sign-in” on the page of the member. The next one who signs in by that name is then the member."
        }
        Code::MemberInactive => {
            "When they are back, an admin of the workspace uses “Let them back in” on the page of the member. Where WeCom or SCIM keeps the address book, the admin changes it there."
        }
        Code::InvitationLimit => {
            "Withdraw those that are not needed, in the list “Open invitations” under “Accounts”. The others expire by themselves."
        }

        // AppSecrets and users
        Code::AppSecretExists => {
            "If the secret is lost, make a new one by “Reset the AppSecret”, on the page “Keys” under “Development”. The old one stops working at once."
        }
        Code::NoAppSecret => {
            "An admin of the team makes one by “Generate the AppSecret”, on the page “Keys” under “Development”. It is shown once."
        }
        Code::AppSecretFrozen => {
            "On the page “Keys” under “Development”, put a new one into use by “Reset the AppSecret”, or use the same again by “Unfreeze the AppSecret”."
        }
        Code::NotPartners => {
            "An admin of each team agrees under “Identity” of its MiniApp: one by “Offer, or ask for it”, the other by “Agree”."
        }
        Code::LoginEntryLimit => {
            "Open one that is not in use, under “Identity” of the MiniApp, and choose “Remove the login entry”."
        }

        // subscription messages
        Code::LoginSubjectTaken => {
            "Let the other user end it, or end it on the host app's page “Logins of users”. Then the user logs in once more."
        }
        Code::MessageTemplateExists => {
            "Use the one that is there, in the list “Templates” under “Messages”, or choose other lines."
        }
        Code::MessageTemplateLimit => {
            "Open one that is not in use, under “Messages”, and choose “Remove the template”. If it is added again later, users must be asked again."
        }

        // packages
        Code::MessageField => "Open the template under “Messages” of the MiniApp: it shows what each field takes.",
        Code::PackageName => {
            "Name the file `{mini_app_id}_{version}.apkg`. Or choose a .zip of the mini-program, and fill in “Version number”."
        }
        Code::PackageArchive => "Make the package again with `berth pack DIR`, and upload that.",
        Code::PackagePath => {
            "Rename the file that the refusal names, make the package again with `berth pack DIR`, and upload that."
        }
        Code::PackageLimit => {
            "Leave out what is not needed at run time: `berth pack DIR` lists what is in. Then upload the new package."
        }
        Code::PackageManifest => {
            "Pack the built folder, not the sources. `berth audit DIR` says what is wrong before you upload it again."
        }
        Code::PackageMismatch => {
            "Fill in the “Version number” that the manifest has; or change the manifest, pack again, and upload that."
        }

        // MiniApps, versions, audits
        Code::MiniAppOffShelf => {
            "When the reason is gone, choose “Put back on the shelf” under “Settings” of the MiniApp."
        }
        Code::PackageOffShelf => {
            "Devices stop running it. Its team puts it back by “Put back on the shelf” under “Settings”."
        }
        Code::NotOnline => {
            "Publish a version first: open an approved one under “Versions” of the MiniApp, and choose “Publish”."
        }
        Code::MerchantExists => {
            "Choose another id, or leave it empty to have one made. Or use the merchant that is there, under “Merchants”."
        }
        Code::VersionExists => {
            "Raise the version, pack again, and upload that. A version that was never submitted can be replaced by command: `berth push FILE --replace`."
        }
        Code::VersionState => {
            "The page of the version shows its state and what can be done now. The steps are: upload, “Submit for audit”, approval by each host app, “Publish”."
        }
        Code::VersionOrder => {
            "Raise the version, pack again, and upload that. To go back, use “Roll back” on the page of the older version. A minimum version must not be above the online one."
        }
        Code::NoHostApp => {
            "Use “Ask for a binding” under “Host apps” of the MiniApp; an admin of the host app agrees on the page of the host app. Then submit again."
        }
        Code::NeverOnline => {
            "“Releases” lists the versions that were online: open one, and choose “Roll back”. To get to a version above the online one, publish it."
        }
        Code::RollbackTwice => {
            "“Releases” shows what was online before. Publish a version that is above the online one, or take the MiniApp off the shelf under “Settings”."
        }
        Code::TrialEntry => {
            "In the field “Page that it opens”, choose one of the pages that are offered. You may add a query to it."
        }
        Code::NoteRequired => "Write the reason into the note, and send the form again.",
        Code::AuditClosed => {
            "The page of the audit shows its state. While policies judge, wait. A closed audit is not opened again; a new submission gets a new audit."
        }

        // settings of MiniApps in host apps
        Code::NotBound => {
            "Bind it first, by “Ask for a binding” under “Host apps” of the MiniApp. The other side has to agree."
        }
        Code::PrivacyIncomplete => {
            "On the page “Privacy” under “Development”, fill in all that is listed below “What it lacks to be published”. Then choose “Publish the draft”."
        }
        Code::PrivacyUnchanged => {
            "Change the draft first. To have users asked again without a change, tick “Ask all users anew all the same” when you publish."
        }
        Code::PermitExists => {
            "Open it under “Development” of the MiniApp, on the page “Domains” or “Sensitive APIs”. To prolong it, the host app uses “Change the end” on the page of the permit."
        }
        Code::PermitState => {
            "The page of the permit shows its state and what happened to it. Apply again under “Development” of the MiniApp, on the page “Domains” or “Sensitive APIs”."
        }

        // channels and organisation nodes
        Code::ChannelExists => {
            "Use it: it is listed on the merchant's page “Channels”. To move it to another endpoint application, open it there and use “Bind a channel”."
        }
        Code::ChannelTaken => {
            "The other merchant gives it up by “Unbind the channel” and then “Delete the channel”. Or you prove that it is yours by authorising it on its platform."
        }
        Code::ChannelBound => {
            "To delete it, first unbind it on its page. To move it, bind it to the other one: the next page says what that means."
        }
        Code::OrgNodeCycle => {
            "In the field “Below”, choose a node that is neither this one nor below it, or choose “None: it is at the top”."
        }
        Code::OrgNodeInUse => "Move or delete the nodes below it first. The merchant's page “Organisation” shows them.",
        Code::OrgNodeNotOpen => {
            "First open one of its product instances, under “What is open here” on the page of the node. Then assign again."
        }

        // official accounts
        Code::OfficialAccountExists => {
            "“Official accounts” shows those that you may use. Whoever has this one must first retire and then remove it, by “Retire” and “Remove” on its page."
        }
        Code::OfficialAccountInUse => {
            "Choose “Retire” on its page first. A retired one can be removed with its bindings."
        }
        Code::OfficialAccountRetired => "Use another one, or let this one work again by “Use again” on its page.",
        Code::OfficialAccountLimit => {
            "Remove one that is not in use: an entry page on the merchant's page “Official accounts”, or the name of a template on the page of the account."
        }

        // workspaces
        Code::FanTaken => {
            "If it is the same person, unbind there first, by “Unbind” under “Fans” on the merchant's page “Official accounts”."
        }
        Code::NoFan => {
            "“Fans” on the merchant's page “Official accounts” shows where the member is bound. Let them open an entry link."
        }
        Code::WorkspaceLimit => {
            "Remove what is not used any more, under “Applications” or “Departments” of the workspace."
        }
        Code::AddressBookKept => {
            "Change people where they come from, or use “Pull no more” under “Address book and sign-on”. Before WeCom brings its people, those from SCIM must be deleted; or use another workspace."
        }
        Code::DirectoryDenied => {
            "Check the id, “Secret” and “What the secret may read” under “Address book and sign-on”, and the trusted IPs at WeCom. Then choose “Save and sync”."
        }
        Code::DirectoryUnreachable => {
            "It is tried again by itself; “Next sync” under “Address book and sign-on” says when. If it keeps failing, check “Address of the API” there."
        }
        Code::DirectoryWrong => {
            "It is tried again by itself. If it keeps failing, check the place that the refusal names, and “Address of the API” under “Address book and sign-on”."
        }
        Code::DirectoryTooMuch => {
            "Check in WeCom's console what the application may see. If all of them are really to go, choose “Sync all the same” under “Address book and sign-on”."
        }
        Code::DirectoryPush => {
            "Compare token and key with those in WeCom's console, and type both again on the page “Address book and sign-on” of the workspace."
        }
        Code::ContactExists => {
            "Find the contact under “External contacts” by its “Id in the organisation”, and use that one."
        }

        // SCIM
        Code::ScimNoTarget => {
            "Somebody has changed the member meanwhile. Load the page again, and make your change again."
        }
        Code::ScimValue => "The refusal names what is wrong and its rule. Change that, and save again.",
        Code::ScimMutability => {
            "The refusal names what cannot be changed like this. Leave it as it was; what must have a value cannot be left empty."
        }
        Code::ScimUniqueness => {
            "Find the member with this “User name” under “Members” and change that one, or choose another user name."
        }

        // grayscale
        Code::GrayFirstRelease => {
            "Publish a first version, by “Publish” on its page. To give one to named accounts before that, use “Set the trial” under “Trial”."
        }
        Code::GrayNarrows => {
            "A task that has started can only be widened. To narrow it, end it and create another one; “New one like it”, on its page, takes over what it says."
        }
        Code::BelowMinVersion => {
            "“Settings” of the MiniApp shows the “Minimum version”. For a rollback, tick “Lower the minimum version”; for a trial, choose a newer version."
        }
        Code::GuardSuspended => {
            "The page of the gray task shows why it failed. Mend the version and publish a newer one. If the guard was wrong, tick “Publish it all the same” instead."
        }
        Code::GrayState => {
            "The page of the task shows its state; the table “What moved it” says when it changed and by whom. After the end, create another task."
        }
        Code::GrayLimit => "Open one that is not needed, under “Gray tasks” of the MiniApp, and choose “End”.",
        Code::GrayPeriod => {
            "Give an end that is after the start and has not passed yet. Note the time zone that the form names."
        }
        Code::CohortInvalid => {
            "Mend the lines that the refusal names: UTF-8 text, one member in each line. If the file is a table, fill in “Column of a table”. If all lines are right, tick “Take every line as it is”."
        }

        // endpoint applications
        Code::EndpointDefault => {
            "Make one with your own choice of products, by “New endpoint application” on the page of the merchant."
        }
        Code::EndpointInUse => {
            "Its page lists its channels. Open each, and move or unbind it there; then choose “Delete the endpoint application”."
        }
        Code::FulfilmentSettled => {
            "The page of the message shows what became of it. If it was discarded, you can use “Replay” there. Send a further change as a message of its own."
        }
        Code::ProductUnsubscribed => {
            "Choose one that is active. “Product instances”, on the page of the merchant, shows their states."
        }

        // policies
        Code::PolicyInvalid => {
            "Mend what the refusal names, build it again with `berth policy build DIR`, and install that file."
        }
        Code::PolicyConfig => {
            "Change the field that the form marks. “What its config may be (JSON Schema)”, on the page of the policy, shows the rules."
        }
        Code::PolicyKind => "Choose one that fits. “Policies” lists them by kind.",
        Code::PolicyExists => {
            "Raise the version in the policy's own files, build it again with `berth policy build`, and install that file."
        }
        Code::PolicyBound => {
            "Change the binding that is there, by “Change” in the table “Where it is bound” on the page of the policy."
        }
        Code::PolicyInUse => {
            "Unbind it in each place that its page lists below “Where it is bound”, then choose “Uninstall”. Gray tasks keep theirs as a record, so what they used stays installed."
        }
        Code::PolicyUnsigned => {
            "Sign the file with `cosign sign-blob`, and install it again with its “Signature”. “Trusted keys”, on the page “Policies”, shows whose signatures count."
        }
        Code::PolicySignatureWrong => {
            "Sign exactly the file that you install, with a key that the page “Trusted keys” shows. An admin can add another key there, by “Trust a key”."
        }
        Code::TrustedKeyExists => {
            "The page “Trusted keys” shows both. Choose another name, or remove the older key first."
        }
        Code::RegistryDenied => {
            "The operator gives the host a login: a config.json with `auths`, named by `--registry-auth`. Logins in credential helpers (credsStore) are not read."
        }
        Code::RegistryMissing => {
            "Check the name and the tag in “Reference”. `berth policy publish FILE.wasm oci://REGISTRY/NAME:TAG` puts a policy there."
        }
        Code::RegistryUnreachable => {
            "Check “Reference”. The operator must allow registries inside your network by `--webhook-allow`; without TLS they need `--registry-plain-http`, too."
        }
        Code::RegistryWrong => {
            "The refusal says what is wrong. A policy is an artefact with one layer of type application/wasm, as `berth policy publish`, wkg and oras make it."
        }
        Code::NoCheckRecord => {
            "An admin of the team begins a record, on the page “Record of checks” under “Gray tasks” of the MiniApp. Try the policy some hours later, once devices have asked."
        }
        Code::ReplayRunning => "Another policy is being tried now. Wait a moment, then choose “Try it” again.",

        // webhooks
        Code::EventsGone => {
            "In the field “After the event with the number”, write a greater number, or 0 to begin with the first event that the host still has."
        }
        Code::WebhookLimit => "Open one that is not needed, under “Webhooks”, and choose “Delete the webhook”.",

        // the host
        Code::AuthorisationState => {
            "Open it below “Being connected” on the merchant's page “Channels”, and go on from where it is. If it has failed, choose “Begin again”."
        }
        Code::AuthorisationRevoked => {
            "Ask the merchant, and authorise again by “Connect a channel” on the merchant's page “Channels”."
        }
        Code::ChannelKindMismatch => {
            "Connect a channel of the right “Kind”, or let the merchant choose the other account."
        }
        Code::WechatNotSetUp => {
            "The operator sets it up; `berth serve --help` names the options. Without it, a channel is recorded on the merchant's word, by its “Id on its platform” and its “Name”."
        }
        Code::Unavailable => {
            "Try again in a moment. If it keeps failing, the operator sees on `/readyz` what is missing."
        }
        Code::Internal => {
            "Try it once more. If it fails again, give the operator the number of the request, which leads to the reason in the log."
        }

        _ => return None,
    })
}
