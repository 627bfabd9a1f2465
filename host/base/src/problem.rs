//! What each `type` of a problem means, and what to do about it: the text of its page.

use crate::error::Code;

/// Why a code is answered, and how to get on, as Markdown for people.
pub struct Page {
    /// What has happened.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

/// The pieces of a text of a page, each with whether it is code: what stands between backticks.
pub fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece))
}

/// The page of a code. There is no default, so that a new code cannot go without one.
pub fn page(code: Code) -> Page {
    let (cause, cure) = match code {
        // requests
        Code::BadRequest => (
            "The request is not what HTTP or JSON allows: the body broke off, is no JSON, or is nested too deep.",
            "Read `detail`, which names the place, and mend the request. Sent again as it is, it will be refused again.",
        ),
        Code::InvalidField => (
            "A member of the request has a value that its rule does not allow, or a member is missing or not known.",
            "`field` names the member and `detail` the rule. `/openapi.json` has the schema of every body.",
        ),
        Code::InvalidId => (
            "An id does not have the form of its kind, such as `gray_` and 26 characters, or 3 to 63 of `a-z`, `0-9` and `-`.",
            "Take the id from a list or from the answer that created the thing; ids are never made up or shortened.",
        ),
        Code::InvalidVersion => (
            "A version is not `MAJOR.MINOR.PATCH`, such as `1.2.0`.",
            "Write all three numbers, without `v` and without leading zeros.",
        ),
        Code::InvalidCursor => (
            "The `cursor` is not one that this list has given.",
            "Leave `cursor` out for the first page, then send the `next` of each page as it is.",
        ),
        Code::BodyTooLarge => (
            "The body has more bytes than this address takes; nothing of it was kept.",
            "`limit` is the number of bytes, where it is known. Split the request. For packages the operator sets the limit: `berth serve --help`.",
        ),
        Code::FileTooLarge => (
            "A file of a package has more bytes, after inflating, than are shown one by one.",
            "`limit` is the number of bytes. Download the package, which has all of them: `berth download APP --version VERSION`.",
        ),
        Code::BodyTimeout => (
            "The body came too slowly, or not at all.",
            "Send it again over a better line. Uploads may be repeated: the same bytes are never stored twice.",
        ),
        Code::UnsupportedRange => (
            "The header `Range` asks for bytes that the package does not have.",
            "`Content-Range` of this answer has the size. A download that is complete needs no further request.",
        ),
        Code::NotFound => (
            "There is nothing with this id, or the token may not know of it: both are answered alike.",
            "Check the id with the list that it is from, and with `berth whoami` whether the account has a role there.",
        ),
        Code::RouteNotFound => (
            "The host has no such address. Mostly a path is misspelt, or the client is newer than the host.",
            "`/openapi.json` lists all addresses. Compare `berth --version` with that of the host.",
        ),
        Code::MethodNotAllowed => {
            ("The address exists and does not take this method.", "The header `Allow` lists the methods that it takes.")
        }
        Code::UnsupportedMedia => (
            "The header `Content-Type` is missing or names a type that this address does not read.",
            "Send JSON as `application/json`, packages as `application/zip`, policies as `application/wasm`, lists as `text/plain`.",
        ),
        Code::TooManyRequests => (
            "More requests came than are allowed in this time.",
            "Wait as many seconds as `Retry-After` says, and send fewer at once.",
        ),
        Code::IdempotencyMismatch => (
            "The `Idempotency-Key` was used before, for a request with another address or body.",
            "Make a new key for each request; repeat one only with exactly the same request.",
        ),
        Code::IdempotencyInProgress => (
            "The first request with this `Idempotency-Key` has not been answered yet.",
            "Wait a moment and repeat it with the same key: you get the answer of the first one.",
        ),
        Code::IdempotencyNotKept => (
            "The first request with this `Idempotency-Key` was done. Its answer is not kept: it showed a secret or what is known of a \
             person, or spoke of a user who was erased since.",
            "Look for what it created, revoke or delete it if the secret is lost, and create another with a new key. Do nothing again for a \
             user who was erased, unless it is meant anew.",
        ),
        Code::PreconditionFailed => (
            "A condition in the headers, such as `If-Match`, does not hold: the thing is not as the caller remembers it.",
            "Read it again, decide anew, and send the new `ETag`.",
        ),

        // access
        Code::MissingToken => (
            "The request has neither a token nor, where that is enough, the key of a host app.",
            "Send `Authorization: Bearer …`, or run `berth login --server URL`. Devices send `X-Host-App-Key`.",
        ),
        Code::InvalidToken => (
            "The token is misspelt, of another host, or was revoked.",
            "Run `berth login --server URL` with a valid one. `BERTH_TOKEN` in the environment takes precedence over a login.",
        ),
        Code::ExpiredToken => (
            "The time of the token is over.",
            "Create another with `berth token create NAME --expires +90d`, or ask an admin for one, and log in with it.",
        ),
        Code::InvalidHostAppKey => (
            "`X-Host-App-Key` is the key of no host app here, or of another one than the request names.",
            "`berth host-app show HOST_APP` prints the key. A staging host has other keys than a live one.",
        ),
        Code::MissingGrant => (
            "The account has no role that allows this here, or its token was made without the scope for it.",
            "`berth whoami` shows both. An admin gives a role with `berth team grant`; a scope needs a new token.",
        ),
        Code::LastAdmin => (
            "This would leave nobody who can give roles here.",
            "Make another account admin first: `berth team grant … ACCOUNT admin`.",
        ),
        Code::AccountDisabled => (
            "An admin of the platform has disabled the account: nobody can sign in to it, and its tokens are of no use.",
            "Ask an admin of the platform. `berth account enable ACCOUNT` lets it be used again, with the same tokens and roles.",
        ),
        Code::WrongCredentials => (
            "There is no such sign-in name, or this is not its password: both are answered alike.",
            "Mind upper and lower case of the password. Who has forgotten it asks an admin of the platform, whose `berth account invite --account ACCOUNT` makes a link by which another one is set.",
        ),
        Code::SecondFactorRequired => (
            "The password was right, and the account has a second factor.",
            "Send `code` as well: the six digits that the app shows, or a recovery code. `ticket` stands in place of name and password for five minutes. Who has lost both asks an admin of the platform, whose `berth account remove-second-factor ACCOUNT` takes it away.",
        ),
        Code::SecondFactorOwed => (
            "This host requires a second factor of the account, which has none. A session that a password or an invitation has started is good for nothing but setting one up.",
            "Set it up: `berth second-factor set-up`, in the console under \"My access\", or `POST /v1/me/second-factor` and `POST /v1/me/second-factor/confirm`. The same session is good for everything from then on. The operator requires it by `--require-second-factor`.",
        ),
        Code::SecondFactorExists => (
            "An account has one second factor.",
            "Remove the one that it has first, by the password or a code, and set the other one up then.",
        ),
        Code::NoPassword => (
            "Nobody signs in to the account by a password, and this needs one.",
            "Set a password first: `PUT /v1/me/password`, or on the page \"My access\" of the console.",
        ),
        Code::LastWayIn => (
            "The account has no password, so that the link to the identity provider is the only way in which its person signs in.",
            "Have the person set a password first. Or say that it is meant: `berth account unlink ACCOUNT --even-last`, `?even_last=true`, and let them in again by `berth account invite --account ACCOUNT`.",
        ),
        Code::NoSignInProvider => (
            "The operator of this host has named no identity provider.",
            "Sign in by name and password. The operator names a provider by `--oidc-issuer`.",
        ),
        Code::SignInOver => (
            "The browser was away for more than 15 minutes, has come back twice, or is not the one in which the visit began.",
            "Sign in once more, in one browser from the beginning to the end, and let it keep cookies.",
        ),
        Code::ProviderDeclined => (
            "The identity provider has sent the browser back without signing the person in.",
            "Sign in once more. If the provider goes on refusing, ask whoever runs it to let you use this host.",
        ),
        Code::ProviderNotLinked => (
            "A person at the identity provider gets into the account that is linked to them, and none is. An address of e-mail links nothing.",
            "Sign in by name and password and link the account under \"My access\", or ask for an invitation and accept it by the provider.",
        ),
        Code::ProviderSubjectTaken => (
            "A person at the identity provider has one account here, and this one has another.",
            "Sign in to that account, and take the link away under \"My access\" first.",
        ),
        Code::MemberUnknown => (
            "Somebody has signed in at the identity provider of the workspace, and its address book has nobody, or more than one, by the name that the provider says.",
            "Ask an admin of the workspace: by SCIM the member needs the name that the provider says, as `userName` or `externalId`. `berth workspace provider show` tells which claim is compared with which of both.",
        ),
        Code::MemberOther => (
            "The provider names a member who has signed in before, and says by its `sub` that this is somebody else: the name was given to another person there, or the member has a new account.",
            "Ask an admin of the workspace. When it is the same person, `berth workspace provider forget WORKSPACE MEMBER`; the next one who signs in by that name is the member.",
        ),
        Code::MemberInactive => (
            "The address book of the workspace has the member, and says that they are not active.",
            "The directory of the organisation says `active: true` when they are back. Nothing has to be done here.",
        ),
        Code::PasswordRefused => (
            "The password is too short or too long, one of those that are tried first, or the sign-in name itself; `rule` says which.",
            "Take 12 to 128 characters, whatever they are. A few words that nobody says together are easy to keep in mind.",
        ),
        Code::SignInNameTaken => (
            "Sign-in names are unique on a host, whether in upper or lower case.",
            "Take another one; an address of e-mail does well.",
        ),
        Code::InvalidInvitation => (
            "The code of the invitation is unknown, was used or withdrawn, or has expired, or whoever issued it may not do so any more: all are answered alike.",
            "Ask for another one. On the host's machine `berth admin invite` makes one for the first admin.",
        ),
        Code::InvitationLimit => (
            "So many invitations of one account may be open at a time; `limit` says how many.",
            "`berth invitation list` shows them, `berth invitation withdraw INVITATION` takes one back. Others expire.",
        ),

        // AppSecrets and users
        Code::AppSecretExists => (
            "A MiniApp has one AppSecret, and this one has it already.",
            "If the secret is lost, make another: `berth secret reset APP`. The old one stops at once.",
        ),
        Code::NoAppSecret => (
            "No AppSecret was ever generated for this MiniApp.",
            "An admin of its team generates one: `berth secret generate APP`. It is shown once.",
        ),
        Code::InvalidAppSecret => (
            "There is no such MiniApp, or this is not its AppSecret: all are answered alike. After a reset the old one is not valid any more.",
            "Check both on your server. If the secret is lost, an admin of the team makes another: `berth secret reset APP`.",
        ),
        Code::AppSecretFrozen => (
            "An admin of the team has frozen the AppSecret, as it may be in wrong hands. Nothing works with it or with server tokens that came from it.",
            "Put a new one into use by `berth secret reset APP`, or use the same again by `berth secret unfreeze APP`.",
        ),
        Code::InvalidServerToken => (
            "The server token is unknown or has expired, or the AppSecret that it came from was reset or frozen since.",
            "Get another one with the AppSecret: `POST /v1/server-tokens`. API tokens (`berth_…`) are of no use here.",
        ),
        Code::InvalidLoginCode => (
            "The login code was used before, is older than five minutes, or is not for this MiniApp: all are answered alike.",
            "Have the MiniApp ask its host app for a new one. A code is exchanged once, by the server of the MiniApp that it was issued for.",
        ),

        Code::NotPartners => (
            "A server is told OpenIDs of another MiniApp only when both teams agree that its MiniApp is the partner. There is no such agreement, it waits for one of the teams, or it was ended.",
            "An admin of each team runs `berth partner agree APP PARTNER`. `berth partner list APP` says who has to agree.",
        ),
        Code::RecognisedOtherwise => (
            "At the official account the user was recognised as another person before, or the person as another user of the MiniApp. Nobody is taken over.",
            "If that is right, the MiniApp's server ends the former recognition: `berth user unrecognise APP_ID OPEN_ID`. If it is not, ignore the code: somebody else may have sent it.",
        ),
        Code::LoginEntryFixed => (
            "Who somebody is at a provider means something there only. So the provider and the client id of a login entry stay as they are registered.",
            "Register another entry under another name. Or remove this one, which ends the bindings of its users, and add it anew.",
        ),
        Code::LoginEntryLimit => (
            "A MiniApp has at most as many login entries as `limit` says.",
            "Remove one that is not in use: `berth login-entry remove APP NAME`.",
        ),
        Code::LoginProviderWrong => (
            "The provider answers, and not as OpenID Connect or OAuth 2.0 has it. `detail` says what is wrong.",
            "Compare the entry with what the provider says of itself at `/.well-known/openid-configuration`, then register it again.",
        ),
        Code::LoginProviderUnreachable => (
            "This host has asked the provider and got no answer, or its address is none that this host connects to.",
            "Check the address. The operator of this host allows addresses that are not public by `--webhook-allow`.",
        ),
        Code::InvalidAuthorisedLogin => (
            "The code was used before, is older than five minutes, or the login was begun for another user or by another MiniApp: all are answered alike.",
            "Finish a login with the OpenID for which your server has begun it, in the session in which the user comes back. If the code came otherwise, somebody may have sent it: ignore it.",
        ),
        Code::LoginSubjectTaken => (
            "Who has logged in at the provider is bound to another user of the MiniApp. Nobody is taken over.",
            "Let the other user end it: `berth login-entry end NAME OPEN_ID`, or the host app's server for them. Then the user logs in once more.",
        ),

        // subscription messages
        Code::MessageTemplateExists => (
            "The MiniApp has this public template with the same keywords in the same order.",
            "Use the one that is there: `berth message templates APP`, or choose other keywords.",
        ),
        Code::MessageTemplateLimit => (
            "A MiniApp has at most as many templates as `limit` says.",
            "Remove one that is not in use: `berth message remove APP TEMPLATE`. Users must be asked again for another one.",
        ),
        Code::MessageKindsMixed => (
            "A request for consent names a one-time and a long-term template. The two kinds never mix in one request.",
            "Ask for one-time templates in one request and for long-term ones in another.",
        ),
        Code::MessageNoConsent => (
            "There is no user with this OpenID in the MiniApp, or they allow no message of this template (any more). A one-time consent is good for one message.",
            "Have the MiniApp ask the user by `requestSubscribeMessage`, and send once they have agreed.",
        ),
        Code::MessageQuota => (
            "A user gets at most 5 messages a day of a long-term template, and this one has had them. The day is that of the user.",
            "Send it tomorrow, or say several things in one message.",
        ),
        Code::MessageField => (
            "A value does not fit the type of its field, or a field is missing or not of the template.",
            "`pointer` names the field and `detail` its rule. `berth message templates APP` lists the fields of each template.",
        ),
        Code::MessageState => (
            "A report about a message contradicts an earlier one, such as shown after refused.",
            "Report each message once for each thing that happened to it, in that order. The same report twice does no harm.",
        ),

        // packages
        Code::PackageName => (
            "The name of the file is not `{mini_app_id}_{version}.apkg`, from which the host knows what it is.",
            "Let `berth pack DIR` name it, with id and version from `berth.json` (`berth init`) or from its options.",
        ),
        Code::PackageArchive => (
            "The archive is damaged, or two programs could read it differently: names that are there twice, records that disagree, bytes between them.",
            "Make it anew with `berth pack DIR`. `detail` names the record if another packer has to be mended.",
        ),
        Code::PackagePath => (
            "A path in the archive leads outside, clashes with another, or cannot exist on some system.",
            "`path` names it. Rename the file, and make the archive with `berth pack DIR`.",
        ),
        Code::PackageLimit => (
            "The archive has too many files, or too many bytes packed or unpacked.",
            "`limit` says which limit and `detail` the figures. Leave out what is not needed at run time: `berth pack DIR` lists what is in.",
        ),
        Code::PackageManifest => (
            "`app.json`, `game.json` or `manifest.json` is missing at the top, is no JSON, or breaks its rule.",
            "`detail` names the place. Pack the built folder, not the sources, and run `berth audit DIR` before uploading.",
        ),
        Code::PackageMismatch => (
            "The manifest inside names another MiniApp or version than the name of the file.",
            "Both values are told. Change the one that is wrong and run `berth pack DIR` again.",
        ),
        Code::PackageDamaged => (
            "The bytes in the host's storage are not those that were uploaded. They are kept apart and never served.",
            "The operator restores the blob from a backup, or from another host's storage; `berth doctor` tells more.",
        ),

        // MiniApps, versions, audits
        Code::MiniAppExists => (
            "Another MiniApp has this id, perhaps one that you may not see. Ids are never given twice.",
            "Choose another id, or leave it out to have one generated.",
        ),
        Code::MiniAppOffShelf => (
            "The MiniApp is off the shelf, so nothing is published and no gray task starts.",
            "When the reason is gone: `berth app shelf APP on`.",
        ),
        Code::PackageOffShelf => (
            "The MiniApp was taken off the shelf; its packages are not served.",
            "Devices stop running it. Its team puts it back with `berth app shelf APP on`.",
        ),
        Code::NotOnline => (
            "No version of the MiniApp is online, so there is nothing that everybody gets.",
            "Publish one: `berth version list APP`, then `berth version publish APP VERSION`.",
        ),
        Code::HostAppExists => (
            "Another host app has this id. Ids are never given twice.",
            "Choose another id, or leave it out to have one generated.",
        ),
        Code::TeamLimit => (
            "The account is in so many teams already that it may not create one more.",
            "Leave a team that is not needed, or let another account create it.",
        ),
        Code::MerchantExists => (
            "Another merchant has this id (BosID). Ids are never given twice.",
            "Choose another id, or use the merchant that is there: `berth merchant show BOS_ID`.",
        ),
        Code::VersionExists => (
            "The version was uploaded before with other bytes, or it was deleted. What a number means never changes.",
            "Raise the version and pack again. A version that was never submitted can be replaced: `berth push FILE --replace`.",
        ),
        Code::VersionState => (
            "The version is in a state in which this cannot be done with it; `state` says in which.",
            "`berth version show APP VERSION` shows how far it is. The way is: upload, submit, approve by each host app, publish.",
        ),
        Code::VersionOrder => (
            "The version is not above the one that is online, and devices never go back by a publish.",
            "Raise the version. To go back, use `berth version rollback APP --to VERSION`.",
        ),
        Code::VersionPrerelease => (
            "The version has a pre-release part, such as `1.2.0-beta.1`. Such versions are for development and trials only.",
            "Pack it again as `1.2.0` and submit that.",
        ),
        Code::NoHostApp => (
            "The MiniApp is bound to no host app, so nobody could approve the version.",
            "`berth host-app bind HOST_APP APP`; an admin of the host app agrees by the same command. Then submit again.",
        ),
        Code::NeverOnline => (
            "A rollback leads only to a version that was online before; this one never was.",
            "`berth version releases APP` lists those that were. A version that is above the online one is published.",
        ),
        Code::RollbackTwice => (
            "The version that is online got there by a rollback, and a rollback does not follow another one.",
            "`berth version releases APP` shows what there was. Publish a version that is above the online one, or take the MiniApp off the shelf.",
        ),
        Code::TrialEntry => (
            "The entry path of the trial is not a page of this package.",
            "Take a path from the list of pages in `berth version show APP VERSION --json`, perhaps with a query.",
        ),
        Code::NoteRequired => (
            "A rejection without a reason helps nobody to mend the version.",
            "Say the reason: `--note \"…\"`, or the member `note`.",
        ),
        Code::AuditClosed => (
            "The audit has ended, or its policies still judge; host apps decide only in between.",
            "`berth version show APP VERSION` shows the state. A closed audit is not opened again; a new submission gets a new one.",
        ),

        // settings of MiniApps in host apps
        Code::NotBound => (
            "A permit holds in one host app, and the MiniApp is not bound to this one, or the other side has not agreed yet.",
            "Bind it first: `berth host-app bind HOST_APP APP`, by an admin of each side.",
        ),
        Code::PrivacyIncomplete => (
            "What users read must say who is responsible, how to reach them, and what each thing that is collected is for.",
            "`errors` lists every place in the draft that lacks something. `berth privacy about APP` and `berth privacy declare APP` fill them.",
        ),
        Code::PrivacyUnchanged => (
            "The draft says word for word what the version that holds says, so that a new one would tell users nothing.",
            "Change the draft first. To ask all users anew all the same, publish with `renew` (`berth privacy publish APP --renew`).",
        ),
        Code::PermitExists => (
            "The MiniApp has such a permit in this host app, or has applied for it and waits.",
            "`permit` names it. The host app prolongs one that is approved: `berth permit approve PERMIT --until …`.",
        ),
        Code::PermitState => (
            "The permit was refused, revoked, withdrawn or has expired, or the step is for another state.",
            "`state` says how far it is. Apply anew: `berth permit apply APP --host-app HOST_APP …`.",
        ),

        // channels and organisation nodes
        Code::NameTaken => (
            "Another one of the same owner has this name, case and blanks aside. People and scripts could not tell them apart.",
            "Use the one that the refusal names, or choose another name.",
        ),
        Code::ChannelExists => (
            "The merchant has a channel of this kind with this id already.",
            "Use it: `berth channel list --app-id ID`. `berth channel bind` moves it to another endpoint application.",
        ),
        Code::ChannelTaken => (
            "Another merchant has this channel, and a channel belongs to one merchant.",
            "The other merchant gives it up with `berth channel delete`, or you prove it by authorising it on its platform.",
        ),
        Code::ChannelBound => (
            "The channel is bound to another endpoint application, and it is bound to one at the most.",
            "Take it from there with `berth channel bind CHANNEL CID --move`, or unbind it first.",
        ),
        Code::OrgNodeExists => (
            "Another organisation node has this id (VID). Ids are never given twice.",
            "Choose another id, or leave it out to have one generated.",
        ),
        Code::OrgNodeCycle => (
            "The new parent lies below the node itself, so that the tree would have a circle.",
            "Choose a parent outside of the node, or make it a root: `berth org-node edit VID --root`.",
        ),
        Code::OrgNodeInUse => (
            "There are nodes below this one, which would lose their place.",
            "Move or delete those first: `berth org-node list --parent VID`.",
        ),
        Code::OrgNodeNotOpen => (
            "The endpoint application has no product instance that is open on the node, so it could not be used there.",
            "Open one: `berth org-node open VID INSTANCE`, then assign again.",
        ),

        // official accounts
        Code::OfficialAccountExists => (
            "An account of WeChat is an official account here once: shared by the platform, or private to one merchant.",
            "`berth official-account list` shows those that you may use. Whoever has it retires and deletes it first.",
        ),
        Code::OfficialAccountInUse => (
            "Members of merchants are bound to the official account, and would be lost with it.",
            "Retire it: `berth official-account edit APP_ID --state retired`. A retired one can be deleted with its bindings.",
        ),
        Code::OfficialAccountRetired => (
            "Nobody enters by a retired official account, and no message goes out by it.",
            "Use another one, or let it work again: `berth official-account edit APP_ID --state active`.",
        ),
        Code::OfficialAccountLimit => (
            "A merchant has a bounded number of entry pages, and an official account of templates.",
            "`limit` is the number. Remove one that is not in use.",
        ),
        Code::InvalidVisitCode => (
            "The code was used before, is older than five minutes, or is for another merchant or official account.",
            "Let the visitor open the entry link again. A code is exchanged once, by the merchant's server.",
        ),
        Code::FanTaken => (
            "The OpenID belongs to another member of the merchant. One person is not two members, and nobody is taken over.",
            "`member_id` is who has it. If that is the same person, unbind there first: `berth fan unbind`.",
        ),
        Code::NoFan => (
            "The member is bound to no official account, or to none that is active and has the template.",
            "`berth fan list MERCHANT --member ID` shows where the member is bound; let them open an entry link.",
        ),

        // workspaces
        Code::WorkspaceExists => (
            "A workspace with this id exists. Ids are unique on the host.",
            "Choose another id, or leave it out and get a generated one.",
        ),
        Code::WorkspaceInternal => (
            "An application of a workspace was to be shared with an external contact. Applications are for members only.",
            "Share a linked MiniApp with the contact, or add the person to the address book.",
        ),
        Code::WorkspaceLimit => (
            "The workspace has as many of these as a workspace may have.",
            "Remove what is not used any more. `detail` says the limit.",
        ),
        Code::AddressBookKept => (
            "The address book of the workspace is kept by SCIM or pulled from WeCom, and the request would have both write into it.",
            "`detail` says who keeps it. While it is pulled, change people there; `berth workspace directory remove` ends that, and SCIM may go on with what is there. What SCIM has brought has to be deleted by SCIM before WeCom brings its own, or another workspace is used.",
        ),
        Code::DirectoryDenied => (
            "The directory of the organisation knows this host and refuses it: the id of the organisation or the secret is wrong, this host's address is not in the list of trusted ones, or the secret may not read what it was asked for.",
            "`detail` has the directory's number of the error and what to change in its console. `berth workspace directory set` takes another secret or another `reads`; then `berth workspace directory sync`.",
        ),
        Code::DirectoryUnreachable => (
            "The directory of the organisation could not be reached, broke off, or asked to be left alone for a while. Nothing was changed.",
            "It is tried again by itself, later each time. `berth workspace directory show` says when; look at `base_url` when it goes on.",
        ),
        Code::DirectoryWrong => (
            "The directory of the organisation answered with what is no address book: another form than its documentation says, or a member in a department that it does not list. Nothing was changed.",
            "It is tried again by itself. When it goes on, `detail` names the place: look at it there, and at what stands at `base_url`.",
        ),
        Code::DirectoryTooMuch => (
            "A sync would have taken the access of more than ten and more than a fifth of the members, departments or tags, or of all members. That is mostly a secret that sees less than before, so nothing was changed.",
            "Look in the directory's console what the application may see. When all of them are to go, `berth workspace directory sync WORKSPACE --force`.",
        ),
        Code::DirectoryPush => (
            "A message to the address of a directory's callbacks is not signed with the token that was set for that workspace, or cannot be opened with its key.",
            "Compare token and key with those in the directory's console, and set them with `berth workspace directory set`.",
        ),
        Code::ContactExists => (
            "The workspace has an external contact with this `external_id` already.",
            "Find the contact by `?external_id=` in the list of contacts, and use that one.",
        ),

        // SCIM
        Code::ScimFilter => (
            "The filter of a SCIM request is not one, names an attribute that is not there, or compares in a way that the attribute's type does not have (`scimType` invalidFilter).",
            "`detail` names the place. RFC 7644, section 3.4.2.2, has the grammar, `/scim/v2/{workspace}/Schemas` the attributes.",
        ),
        Code::ScimSyntax => (
            "The body of a SCIM request is no JSON object of the expected form, or does not name its schema (`scimType` invalidSyntax).",
            "Send `schemas` with the URN of the resource or message, and the members that it has.",
        ),
        Code::ScimPath => (
            "The `path` of a change, or a name in `attributes`, is none (`scimType` invalidPath).",
            "Write it as RFC 7644, section 3.10, does: `emails[type eq \"work\"].value`. `/scim/v2/{workspace}/Schemas` has the names.",
        ),
        Code::ScimNoTarget => (
            "The filter in the `path` of a change chooses no value, or a remove has no path (`scimType` noTarget).",
            "Read the resource, and choose a value that it has, or add one.",
        ),
        Code::ScimValue => (
            "A value does not have the type of its attribute, is missing, is too large, or refers to what is not there (`scimType` invalidValue).",
            "`detail` names the attribute and the rule.",
        ),
        Code::ScimMutability => (
            "The attribute is the host's to set, must have a value, or is not changed but removed and added (`scimType` mutability).",
            "Leave it out. `/scim/v2/{workspace}/Schemas` says of each attribute who may set it.",
        ),
        Code::ScimUniqueness => (
            "Another member of the workspace has this `userName`, in upper or lower case (`scimType` uniqueness).",
            "Find that member by `?filter=userName eq \"…\"` and change it, or choose another `userName`.",
        ),

        // grayscale
        Code::GrayFirstRelease => (
            "Nothing is online yet, so devices outside of the task would have nothing to run.",
            "Publish a first version: `berth version publish APP VERSION`. Named accounts can get one by `berth version trial`.",
        ),
        Code::GrayNarrows => (
            "The task has started, and the edit would take the version out of the reach of devices that may get it now.",
            "`lost` or `detail` says what would be lost. Widen only, or end the task and create another one.",
        ),
        Code::BelowMinVersion => (
            "The version is below the minimum usable version, so that devices which got it could not run it.",
            "`berth app show APP` shows the minimum. A rollback lowers it with `--lower-min`; for a trial choose a newer version.",
        ),
        Code::GuardSuspended => (
            "A guard has suspended or ended a gray task of the version because of what its devices reported; `guard` says what. A publish brings \
             the version to everybody.",
            "`berth gray progress TASK` shows the reports. Mend the version and publish a newer one, or publish this one with \
             `--despite-guard` when the guard was wrong.",
        ),
        Code::GrayState => (
            "The task is in a state in which this cannot be done with it; `state` says in which. Nothing leaves `ended`.",
            "`berth gray show TASK` shows the state and who moved it. After the end, create another task.",
        ),
        Code::GrayLimit => (
            "Too many tasks of the MiniApp have not ended.",
            "End one that is not needed: `berth gray list APP`, then `berth gray end TASK`.",
        ),
        Code::GrayPeriod => (
            "The end of the task is not after its start, or has passed.",
            "Give an end ahead of the start, such as `--for 7d`. Times without a zone are not taken.",
        ),
        Code::CohortInvalid => (
            "The uploaded list is not text with one member on each line, or has too many lines.",
            "`detail` names the line. Save it as UTF-8 text with one column and no header.",
        ),

        // endpoint applications
        Code::EndpointDefault => (
            "The default endpoint application always holds whatever the merchant has active; it is not edited by hand.",
            "Make one of your own choice: `berth endpoint create NAME --merchant BOS_ID --product INSTANCE`.",
        ),
        Code::EndpointEmpty => (
            "An endpoint application without a product instance would have nothing to show.",
            "Add another instance first, or delete the endpoint application.",
        ),
        Code::EndpointInUse => (
            "Channels are bound to the endpoint application, and their users would reach nothing.",
            "`berth channel list --endpoint-app CID` lists them. Move or unbind each, then delete.",
        ),
        Code::FulfilmentSettled => (
            "The message was applied, corrected or discarded already, so there is nothing to correct or to discard.",
            "`berth fulfilment show MESSAGE` shows what became of it. One that was discarded can be replayed. A further change is a message of its own.",
        ),
        Code::ProductUnsubscribed => (
            "The merchant has unsubscribed the product instance.",
            "Choose one that is active: `berth product list --merchant BOS_ID --state active`.",
        ),

        // policies
        Code::PolicyInvalid => (
            "The file is not a policy: no component, another interface, or imports that its kind is not granted.",
            "`detail` says which. `berth policy build DIR` makes a right one, and `berth policy inspect FILE.wasm` tries it here.",
        ),
        Code::PolicyCompile => (
            "Compiling the policy took more time or memory than the host allows.",
            "Make it smaller: an optimised build, fewer dependencies, no large tables in code.",
        ),
        Code::PolicyConfig => (
            "The config does not satisfy the schema of the policy, or the policy itself refuses it.",
            "`berth policy inspect NAME` prints the schema; `detail` names the member, and `policy` the policy where several are bound at once.",
        ),
        Code::PolicyKind => (
            "The policy is of another kind than this place needs: auditors judge versions, grayscale policies choose devices, guards watch.",
            "`berth policy list --kind KIND` lists those that fit.",
        ),
        Code::PolicyExists => (
            "This version of the policy is installed with other bytes. What a number means never changes.",
            "Raise the version in the policy's own files, then `berth policy build` and `berth policy push`.",
        ),
        Code::PolicyBound => (
            "The policy is bound to this place already, and a place has a policy once.",
            "Change that binding: `berth policy bindings`, then `berth policy edit BINDING`.",
        ),
        Code::PolicyInUse => (
            "The policy is bound somewhere, perhaps to a gray task, and must stay readable.",
            "`berth policy bindings --policy NAME` lists the places. Unbind or `berth policy rebind NAME`, then remove.",
        ),
        Code::PolicyUnsigned => (
            "Policies have to be signed here, by a key that is trusted here, and this one is not signed.",
            "Sign the file: `cosign sign-blob --key cosign.key --tlog-upload=false --output-signature FILE.sig FILE.wasm`, then `berth policy push FILE.wasm --signature FILE.sig`. One in a registry: `cosign sign --key cosign.key --tlog-upload=false REGISTRY/NAME@sha256:DIGEST`, then `berth policy push oci://REGISTRY/NAME@sha256:DIGEST`. `berth policy trust list` shows the keys.",
        ),
        Code::PolicySignatureWrong => (
            "There is a signature, and no key that is trusted here has made it of this policy: the file is another one, or the key is.",
            "Sign exactly the file that you push, by a key that `berth policy trust list` shows: `cosign sign-blob --key cosign.key --tlog-upload=false --output-signature FILE.sig FILE.wasm`. A further key is trusted by `berth policy trust add NAME --key cosign.pub`.",
        ),
        Code::TrustedKeyExists => (
            "The key is trusted at this place already, or another one has the name there.",
            "`berth policy trust list` shows both. Choose another name, or remove the older key first.",
        ),
        Code::RegistryDenied => (
            "The registry refuses access: there is no login for it, a wrong one, or one that may not do this. Many say the same of what they do not have.",
            "On your machine: `docker login REGISTRY`. On a host: name a config.json with `auths` by --registry-auth. Logins in credential helpers (credsStore) are not read.",
        ),
        Code::RegistryMissing => (
            "The registry answers, and has no such artefact.",
            "Look at the name and the tag; `berth policy publish FILE.wasm oci://REGISTRY/NAME:TAG` puts one there.",
        ),
        Code::RegistryUnreachable => (
            "The registry could not be reached, was silent, or is at an address to which the host does not connect.",
            "`detail` says which. Registries inside your network have to be named by --webhook-allow, and those without TLS by --registry-plain-http, too.",
        ),
        Code::RegistryWrong => (
            "What the registry gave is not what was asked for: another digest, no artefact of wasm, too many bytes, or no answer that registries give.",
            "`detail` says which. A policy is an artefact with one layer of type application/wasm, as `berth policy publish`, wkg and oras make it.",
        ),
        Code::NoCheckRecord => (
            "A grayscale policy is tried on devices that were recorded when they asked. That is off, unless somebody switches it on for the MiniApp.",
            "Begin a record, `berth gray record MINI_APP --for 7d`, and replay once devices have asked. A record of before may have been forgotten by its time.",
        ),
        Code::ReplayRunning => (
            "A host replays one policy at a time, so that audits have the processors.",
            "Send the same request again after the time in `Retry-After`; `berth policy replay` waits by itself.",
        ),

        // webhooks
        Code::EventsGone => (
            "The events after this number are so old that the host does not keep them any more.",
            "Read the present state from the API, then go on from the newest event: `GET /v1/events` tells its number.",
        ),
        Code::WebhookLimit => (
            "There are as many webhooks as the host, or this scope, allows.",
            "Delete one that is not needed: `berth webhook list`, then `berth webhook delete WEBHOOK`.",
        ),

        // the host
        Code::AuthorisationState => (
            "The run of authorising is in a state in which this cannot be done with it.",
            "`berth channel authorise RUN` goes on from where it is, or starts it again when it has failed.",
        ),
        Code::AuthorisationRevoked => (
            "The merchant has taken the authorisation back on the channel's own platform.",
            "Ask the merchant, and authorise again: `berth channel authorise --merchant BOS_ID`.",
        ),
        Code::ChannelKindMismatch => (
            "The merchant authorised an account of another kind than the run is for, such as an official account for a mini-program.",
            "Start a run with the right `--kind`, or let the merchant choose the other account.",
        ),
        Code::WechatPush => (
            "A message to the address of WeChat's pushes is not signed with this host's token, or cannot be opened with its key.",
            "Compare token and key with those in WeChat's console; `berth serve --help` names the options.",
        ),
        Code::WechatNotSetUp => (
            "This host was started without a WeChat third-party platform, so it can authorise nothing there.",
            "The operator sets it up; `berth serve --help` names the options. Other kinds of channels work without it.",
        ),
        Code::WechatRefused => (
            "WeChat was asked and refuses; `errcode` is its number and `detail` has its words.",
            "WeChat's page on global return codes explains the number. 40125 is a wrong secret; 40164 that this host's address is not in the account's list of IPs.",
        ),
        Code::WechatUnreachable => (
            "WeChat gave no usable answer in time.",
            "Try again in a moment. `--wechat-base-url` and `--wechat-timeout` of `berth serve` say where and for how long it is asked.",
        ),
        Code::SecretSealed => (
            "A stored secret cannot be opened: the host runs with another key than the one that sealed it.",
            "The operator starts the host with the right key, or the secret is set anew.",
        ),
        Code::StorageFull => (
            "The disk or the bucket of the host is full. Nothing of this request was kept; reading still works.",
            "The operator frees or adds storage. Then the same request may be sent again.",
        ),
        Code::LogQueueFull => (
            "Entries of logs come faster than the log store takes them, or it does not answer. Nothing of this batch was kept.",
            "Send the batch again after the time in `Retry-After`. The operator looks at `berth_log_queue_bytes` on `/metrics`, and raises `--log-queue-mib` or helps the store.",
        ),
        Code::Unavailable => (
            "The host is busy, starting, stopping, or cannot reach its database or storage.",
            "Try again after the time in `Retry-After`, or a moment. `/readyz` tells the operator what is missing.",
        ),
        Code::Internal => (
            "The host failed by a fault of its own. The reason is in its log and in no answer.",
            "Give the `request_id` to the operator, who finds the reason by it. The request may be tried once more.",
        ),
    };
    Page { cause, cure }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let told: Vec<_> = pieces("Ask by `berth whoami`, then go on.").collect();
        assert_eq!(told, [(false, "Ask by "), (true, "berth whoami"), (false, ", then go on.")]);
    }

    #[test]
    fn every_problem_has_a_cause_of_its_own() {
        let causes: BTreeSet<_> = Code::ALL.iter().map(|code| page(*code).cause).collect();
        assert_eq!(causes.len(), Code::ALL.len());
        for code in Code::ALL {
            let Page { cause, cure } = page(*code);
            assert!(cause.ends_with('.') && cure.ends_with('.'), "{}", code.slug());
        }
    }
}
